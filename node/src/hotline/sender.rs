//! Sends what waits in a spool, the oldest first, until it is empty or a deadline has passed.
//!
//! Implements spec/hotlines.md#sending.
//!
//! Invariant: an alert that the node has once is not there twice: every attempt has the key that
//! was made before the first.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::limits::{BACKOFF_MAX, BACKOFF_MIN};
use super::{Receipt, Remote, RemoteError, Spool, SpoolError, Spooled, Stage};
use crate::exit::{Exit, Failure};
use crate::{clock, entropy};

/// The call that every spooled alert is.
const CALL: &str = "alert/send";

/// What became of one alert.
pub(crate) enum Outcome {
    /// The node has it.
    Sent(Receipt),
    /// The node refused it for what it says.
    Refused(RemoteError),
    /// Its file cannot be used, and stays where it is.
    Skipped(SpoolError),
}

/// A spool and the way to its node.
pub(crate) struct Sender {
    pub(crate) remote: Remote,
    pub(crate) spool: Spool,
}

impl Sender {
    /// Keeps a new alert under a fresh key; when this returns it is on the disk.
    pub(crate) fn keep(&self, form: Value) -> Result<Spooled, Failure> {
        let [key, _] = halves(entropy::seed());
        let request = serde_json::json!({
            "form": form, "idempotency_key": hex::encode(key),
        });
        Ok(self.spool.put(&key, clock::now_ms(), request)?)
    }

    /// Sends all that waits. Ends early with the cause where the node cannot be reached by the
    /// deadline, or does not admit the hotline; what waits then goes on waiting.
    pub(crate) async fn flush(
        &self,
        deadline: Instant,
        each: &mut dyn FnMut(&Spooled, Outcome),
    ) -> Result<Option<RemoteError>, Failure> {
        for spooled in self.spool.list(Stage::Waiting)? {
            let mut pause = BACKOFF_MIN;
            loop {
                let request = match self.spool.request(&spooled) {
                    Ok(Some(request)) => request,
                    Ok(None) => break,
                    // One bad file must not hold back all that came after it.
                    Err(error @ (SpoolError::Damaged(_) | SpoolError::Foreign(_))) => {
                        each(&spooled, Outcome::Skipped(error));
                        break;
                    }
                    Err(error) => return Err(error.into()),
                };
                let error = match self.remote.call(CALL, &request).await {
                    Ok(answer) => {
                        let receipt = self.spool.sent(&spooled, answer, clock::now())?;
                        each(&spooled, Outcome::Sent(receipt));
                        break;
                    }
                    Err(error) => error,
                };
                if let RemoteError::Refused(why) = &error
                    && error.is_final()
                {
                    self.spool.refused(&spooled, why)?;
                    each(&spooled, Outcome::Refused(error));
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
