//! What alerts cost: how many are accepted durably in a second, and how long one takes from its
//! acceptance to the partner's signed acknowledgement.
//!
//! The origin runs in this process, over the real store, transport and lanes; the recipient is a
//! node of its own.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use symbolon_desk::api::{AlertForm, AlertSend, PlaceForm, Quiet};
use symbolon_desk::{Desk, Officer, Role};
use symbolon_record::RecordId;
use symbolon_store::DeliveryState;
use symbolon_trust::NodeId;

use super::meter::{Times, Watch};
use super::nodes::{Pair, say};
use super::report::{Aim, Report};
use crate::cli::{Output, Unlock};
use crate::config::Config;
use crate::daemon;
use crate::exit::{Exit, Failure};
use crate::init::desk_failure;
use crate::lanes::Lanes;

/// Submitters at once while acceptance is measured.
const SUBMITTERS: usize = 64;
const ACCEPTING: Duration = Duration::from_secs(4);
/// Alerts a second while delivery is measured, and for how long.
const RATE: u64 = 500;
const DELIVERING_SECONDS: u64 = 10;
/// Threads that submit at that rate: one alone would wait for the disk.
const PACED_SUBMITTERS: u64 = 8;
/// Between two looks at the oldest alert that is not acknowledged.
const LOOK: Duration = Duration::from_micros(500);
/// After so long what is not acknowledged never will be.
const PATIENCE: Duration = Duration::from_secs(60);

/// An alert on its way: since when, and which.
type Waiting = Mutex<VecDeque<(Instant, RecordId)>>;

/// Measures both; the asker's process must have ended.
pub(super) async fn measure(report: &mut Report, pair: &Pair, out: Output) -> Result<(), Failure> {
    let directory = pair.asker.directory();
    let config = Config::load(directory)
        .map_err(|error| Failure::new(Exit::Internal, error.to_string(), ""))?;
    let unlock = Unlock { passphrase_file: None, key_file: None };
    let desk = daemon::open(directory, &config, &unlock)?;
    let partner = desk.partners().keys().next().copied();
    let partner = partner.ok_or_else(|| Failure::new(Exit::Internal, "no partner", ""))?;

    say(out, &format!("alerts: {SUBMITTERS} submitters, {} s", ACCEPTING.as_secs()));
    let accepting = Arc::clone(&desk);
    let accepted = blocking(move || accept(&accepting)).await?;
    let aim = Aim { job: "alerts", unit: "alerts/s", target: Some("≥ 5,000") };
    let conditions = format!(
        "{} alerts of five fields with an idempotency key, {SUBMITTERS} submitters that each wait; \
         policy, sealing, outbox and log included, without HTTP",
        accepted.0
    );
    report.add(aim, "accepted durably", accepted.0 as f64 / accepted.1, conditions);

    say(out, "alerts: delivering what was accepted");
    let (endpoint, _met) = daemon::endpoint(&desk, &config)?;
    let lanes = Lanes::open(&desk);
    let watch = Watch::start();
    let draining = Arc::clone(&desk);
    blocking(move || drained(&draining, &partner)).await?;
    let seconds = watch.seconds();
    let aim = Aim { job: "alerts", unit: "alerts/s", target: None };
    let conditions = format!(
        "{} that waited, over loopback QUIC, both nodes on this machine's cores: sealed, signed, \
         applied and acknowledged each",
        accepted.0
    );
    report.add(aim, "delivered", accepted.0 as f64 / seconds, conditions);

    say(out, &format!("alerts: {RATE} a second for {DELIVERING_SECONDS} s"));
    let delivering = Arc::clone(&desk);
    let mut times = blocking(move || delivered(&delivering, &partner)).await?;
    let conditions = format!(
        "{} alerts at {RATE} a second, from the durable acceptance to the acknowledgement kept at \
         the origin",
        times.len()
    );
    report.add_times("alerts", "accept to acknowledge", &mut times, Some("≤ 60"), &conditions);
    drop(lanes);
    endpoint.shutdown().await;
    Ok(())
}

async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, Failure> + Send + 'static,
) -> Result<R, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::new(Exit::Internal, error.to_string(), ""))?
}

fn officer() -> Result<Officer, Failure> {
    Officer::parse("bench", Role::Officer).map_err(|error| desk_failure(&error))
}

/// A flash that the sample policy lets out at once.
fn submit(desk: &Desk, officer: &Officer, number: u64) -> Result<RecordId, Failure> {
    let form = AlertForm {
        kind: Some("material_out_of_control".to_owned()),
        what: Some(format!("Portal alarm {number}")),
        place: Some(PlaceForm::Text("unknown".to_owned())),
        when: Some("unknown".to_owned()),
        urgency: Some("flash".to_owned()),
        ..AlertForm::default()
    };
    let idempotency_key = Some(format!("bench-{number:020}"));
    let sent = desk.alert_send(officer, AlertSend { form, idempotency_key }, &mut Quiet);
    let sent = sent.map_err(|error| desk_failure(&error))?;
    sent.id.parse().map_err(|_| Failure::new(Exit::Internal, "an id cannot be read", ""))
}

/// Alerts accepted by submitters that each wait for every one of theirs, and the seconds.
fn accept(desk: &Desk) -> Result<(u64, f64), Failure> {
    let (next, officer, watch) = (AtomicU64::new(0), officer()?, Watch::start());
    let counts = std::thread::scope(|scope| {
        let running: Vec<_> = (0..SUBMITTERS)
            .map(|_| {
                scope.spawn(|| {
                    let mut count = 0_u64;
                    while watch.elapsed() < ACCEPTING {
                        submit(desk, &officer, next.fetch_add(1, Ordering::Relaxed))?;
                        count += 1;
                    }
                    Ok::<u64, Failure>(count)
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap_or(Ok(0))).sum::<Result<u64, _>>()
    })?;
    Ok((counts, watch.seconds()))
}

/// Waits until nothing waits for the partner.
fn drained(desk: &Desk, partner: &NodeId) -> Result<(), Failure> {
    let mut last = (Instant::now(), u64::MAX);
    loop {
        let waiting = desk.outbox_waiting().map_err(|error| desk_failure(&error))?;
        if !waiting.contains(partner) {
            return Ok(());
        }
        let size = desk.store().log_size();
        if size != last.1 {
            last = (Instant::now(), size);
        } else if last.0.elapsed() > PATIENCE {
            return Err(Failure::new(Exit::Unavailable, "alerts are not delivered", ""));
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Submits at a steady rate, whatever the node does meanwhile, and times every alert.
fn delivered(desk: &Desk, partner: &NodeId) -> Result<Times, Failure> {
    let (begun, officer) = (Instant::now(), officer()?);
    let waiting = Waiting::default();
    let total = RATE * DELIVERING_SECONDS;
    std::thread::scope(|scope| {
        let paced = (0..PACED_SUBMITTERS).map(|lane| {
            let (waiting, officer) = (&waiting, &officer);
            scope.spawn(move || {
                for number in (lane..total).step_by(PACED_SUBMITTERS as usize) {
                    let due = begun + Duration::from_micros(number * 1_000_000 / RATE);
                    while let Some(early) = due.checked_duration_since(Instant::now()) {
                        std::thread::park_timeout(early);
                    }
                    let id = submit(desk, officer, u64::MAX / 2 + number)?;
                    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
                    waiting.push_back((Instant::now(), id));
                }
                Ok::<(), Failure>(())
            })
        });
        let paced: Vec<_> = paced.collect();
        let times = acknowledged(desk, partner, &waiting, total)?;
        for thread in paced {
            thread.join().unwrap_or(Ok(()))?;
        }
        Ok(times)
    })
}

/// The time of each alert from its acceptance until its acknowledgement is kept here.
fn acknowledged(
    desk: &Desk,
    partner: &NodeId,
    waiting: &Waiting,
    total: u64,
) -> Result<Times, Failure> {
    let mut times = Times::default();
    // The row is read only once the log has grown: every acknowledgement that is kept is logged,
    // and reading costs what the nodes could use.
    let mut looked_at = None;
    while (times.len() as u64) < total {
        let oldest = waiting.lock().unwrap_or_else(PoisonError::into_inner).front().copied();
        let Some((since, id)) = oldest else {
            std::thread::park_timeout(LOOK);
            continue;
        };
        let size = desk.store().log_size();
        if looked_at == Some((id, size)) && since.elapsed() <= PATIENCE {
            std::thread::park_timeout(LOOK);
            continue;
        }
        looked_at = Some((id, size));
        let delivery = desk.store().delivery_fetch(&id, partner);
        let delivery = delivery.map_err(crate::init::store_failure)?;
        if delivery.is_some_and(|one| one.state.rank() >= DeliveryState::Delivered.rank()) {
            times.add(since.elapsed().as_secs_f64() * 1e3);
            waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        } else if since.elapsed() > PATIENCE {
            return Err(Failure::new(Exit::Unavailable, "an alert is not acknowledged", ""));
        }
    }
    Ok(times)
}
