//! Sends what waits in a spool, the oldest first, until it is empty or a deadline has passed.
//!
//! Implements spec/hotlines.md#sending.
//!
//! Invariant: an alert that the node has once is not there twice: every attempt has the key that
//! was made before the first.

use std::time::Duration;

use serde_json::Value;
use symbolon_desk::api::Hello;
use symbolon_web::ErrorLine;
use tokio::time::{Instant, sleep_until, timeout};

use super::limits::{BACKOFF_MAX, BACKOFF_MIN, GREETING_DEADLINE, SPOOL_DAYS};
use super::{Call, Learned, Receipt, Remote, RemoteError, Spool, SpoolError, Spooled, Stage};
use crate::exit::{Exit, Failure};
use crate::{clock, entropy};

/// What became of one alert.
pub(crate) enum Outcome {
    /// The node has it.
    Sent(Receipt),
    /// It is put aside for a person: the node refused it for what it says, or it is too old.
    Refused(ErrorLine),
    /// Its file cannot be used, and stays where it is.
    Skipped(SpoolError),
}

/// A spool and the way to its node.
pub(crate) struct Sender {
    pub(crate) remote: Remote,
    pub(crate) spool: Spool,
    /// The keys by which that node is known.
    pub(crate) learned: Learned,
}

impl Sender {
    /// Greets the node and keeps the pins that it names; then says which are kept.
    pub(crate) async fn greet(&self) -> Result<Hello, Failure> {
        let hello = self.greeted(&self.learned).await?;
        let Some(learned) = self.learned.renewed(&hello.pins, clock::now()) else {
            // An answer without pins is that of a node which has nothing to say of them.
            return Ok(hello);
        };
        learned.keep(self.spool.folder()).map_err(|error| {
            let path = self.spool.folder().to_path_buf();
            Failure::from(SpoolError::File(path, error))
        })?;
        if learned.pins() != self.learned.pins() {
            return self.greeted(&learned).await;
        }
        Ok(hello)
    }

    async fn greeted(&self, learned: &Learned) -> Result<Hello, Failure> {
        let request = serde_json::json!({ "pins": learned.pins() });
        let answer = self.remote.call("node/hello", &request).await?;
        serde_json::from_value(answer).map_err(|_| Failure::from(RemoteError::Unreadable))
    }

    /// The same once a day beside other things: it fails silently and soon.
    pub(crate) async fn greet_daily(&self) {
        if self.learned.is_old(clock::now()) {
            let _ = timeout(GREETING_DEADLINE, self.greet()).await;
        }
    }

    /// Sends all that waits. Ends early with the cause where the node cannot be reached by the
    /// deadline, or does not admit the hotline; what waits then goes on waiting.
    pub(crate) async fn flush(
        &self,
        deadline: Instant,
        each: &mut (dyn FnMut(&Spooled, Outcome) + Send),
    ) -> Result<Option<RemoteError>, Failure> {
        for spooled in self.spool.list(Stage::Waiting)? {
            let mut pause = BACKOFF_MIN;
            loop {
                let (call, request) = match self.ready(&spooled) {
                    Ok(Ready::Go(call, request)) => (call, request),
                    Ok(Ready::Later) => break,
                    Ok(Ready::Aside(why)) => {
                        self.spool.refused(&spooled, &why)?;
                        each(&spooled, Outcome::Refused(why));
                        break;
                    }
                    // One bad file must not hold back all that came after it.
                    Err(error @ (SpoolError::Damaged(_) | SpoolError::Foreign(_))) => {
                        each(&spooled, Outcome::Skipped(error));
                        break;
                    }
                    Err(error) => return Err(error.into()),
                };
                let error = match self.remote.call(call.path(), &request).await {
                    Ok(answer) => {
                        let receipt = self.spool.sent(&spooled, call, answer, clock::now())?;
                        each(&spooled, Outcome::Sent(receipt));
                        break;
                    }
                    Err(error) => error,
                };
                if let RemoteError::Refused(why) = &error
                    && error.is_final()
                {
                    self.spool.refused(&spooled, why)?;
                    each(&spooled, Outcome::Refused(why.clone()));
                    break;
                }
                let asked = Duration::from_secs(error.retry_seconds().unwrap_or(0));
                let next = Instant::now() + jittered(pause).max(asked);
                if !error.is_passing() || next > deadline {
                    return Ok(Some(error));
                }
                sleep_until(next).await;
                pause = (pause * 2).min(BACKOFF_MAX);
            }
        }
        Ok(None)
    }

    /// Makes the body of a call, the same at every attempt.
    fn ready(&self, spooled: &Spooled) -> Result<Ready, SpoolError> {
        let Some(body) = self.spool.waiting(spooled)? else { return Ok(Ready::Later) };
        if !spooled.is_sure(clock::now_ms()) {
            return Ok(Ready::Aside(too_old(spooled.key())));
        }
        let mut request = body.request;
        if let Some(about) = &body.about {
            match self.named(about)? {
                Named::Id(id) => {
                    request.insert("id".to_owned(), Value::String(id));
                }
                Named::Waiting => return Ok(Ready::Later),
                Named::Nowhere => return Ok(Ready::Aside(baseless())),
            }
        }
        request.insert("idempotency_key".to_owned(), Value::String(spooled.key().to_owned()));
        Ok(Ready::Go(body.call, Value::Object(request)))
    }

    /// What became of the alert whose file has this key.
    fn named(&self, key: &str) -> Result<Named, SpoolError> {
        match self.spool.find(key) {
            Ok((own, Stage::Sent)) => {
                let receipt = self.spool.receipt(&own)?;
                Ok(receipt.and_then(|receipt| receipt.id()).map_or(Named::Nowhere, Named::Id))
            }
            Ok((_, Stage::Waiting)) => Ok(Named::Waiting),
            Ok((_, Stage::Refused)) | Err(SpoolError::Missing) => Ok(Named::Nowhere),
            Err(error) => Err(error),
        }
    }
}

/// What is to be done with a file that waits.
enum Ready {
    Go(Call, Value),
    /// Another process settled it, or what it is about waits itself.
    Later,
    /// A person must look.
    Aside(ErrorLine),
}

/// Where the alert is that a change is about.
enum Named {
    Id(String),
    Waiting,
    Nowhere,
}

/// A fresh idempotency key.
pub(crate) fn fresh_key() -> [u8; 16] {
    let [key, _] = halves(entropy::seed());
    key
}

fn too_old(key: &str) -> ErrorLine {
    ErrorLine {
        code: "refused".to_owned(),
        message: format!(
            "it is more than {SPOOL_DAYS} days old by this machine's clock, or from the future: \
             the node may have it and no longer know"
        ),
        remedy: format!(
            "look with 'symbolon alert list --enrolment FILE'; if it is there, 'symbolon alert \
             spool drop {key}', and if not, 'symbolon alert spool release {key}'"
        ),
        retry_seconds: None,
    }
}

fn baseless() -> ErrorLine {
    ErrorLine {
        code: "refused".to_owned(),
        message: "the alert that this change is about was not accepted, as far as is known here"
            .to_owned(),
        remedy: "drop it; if the alert is sent after all, hand the change in again".to_owned(),
        retry_seconds: None,
    }
}

/// Between half of `pause` and all of it, so that many clients of one node do not come together.
fn jittered(pause: Duration) -> Duration {
    let [dice, _] = halves(entropy::seed());
    let [a, b, ..] = dice;
    let share = u32::from(u16::from_be_bytes([a, b]));
    pause / 2 + pause / 2 * share / u32::from(u16::MAX)
}

fn halves(seed: [u8; 32]) -> [[u8; 16]; 2] {
    let (chunks, _) = seed.as_chunks::<16>();
    let mut halves = [[0; 16]; 2];
    halves.iter_mut().zip(chunks).for_each(|(half, chunk)| *half = *chunk);
    halves
}

impl From<SpoolError> for Failure {
    fn from(error: SpoolError) -> Failure {
        let message = crate::wiring::chain(&error);
        match error {
            SpoolError::File(..) => {
                Failure::new(Exit::Invalid, message, "look at its rights and the disk's space")
            }
            SpoolError::Full => {
                let remedy = "send them with 'symbolon alert spool flush', or drop some";
                Failure::new(Exit::Refused, message, remedy)
            }
            SpoolError::Damaged(_) | SpoolError::Foreign(_) => Failure::new(
                Exit::Invalid,
                message,
                "move it elsewhere, and ask whoever made it; all others are sent then",
            ),
            SpoolError::Baseless => {
                let remedy = "release the alert first, and hand the change in again";
                Failure::new(Exit::Refused, message, remedy)
            }
            SpoolError::Missing => {
                let remedy = "'symbolon alert spool list' shows the keys; give one that fits once";
                Failure::new(Exit::NotFound, message, remedy)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_differ_within_their_half() {
        let pauses: Vec<Duration> = (0..32).map(|_| jittered(BACKOFF_MAX)).collect();
        assert!(pauses.iter().all(|pause| (BACKOFF_MAX / 2..=BACKOFF_MAX).contains(pause)));
        assert!(pauses.iter().any(|pause| Some(pause) != pauses.first()));
    }
}
