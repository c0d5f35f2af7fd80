//! `symbolon run`: opens the node, serves partners and the API, stops within five seconds.
//!
//! Implements spec/node.md#stopping.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use symbolon_desk::api::{Quiet, TagSetPublish};
use symbolon_desk::{Desk, Doorway, Identity, Officer, Role, Surroundings};
use symbolon_policy::PolicySet;
use symbolon_store::Store;
use symbolon_trust::NodeId;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::Receiver;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, interval, interval_at, timeout};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::Unlock;
use crate::collectors::Collectors;
use crate::config::{Config, LogLevel};
use crate::exit::{Exit, Failure};
use crate::hotline::{Door as HotlineDoor, DoorConfig, DoorKey};
use crate::init::{desk_failure, store_failure};
use crate::lanes::Lanes;
use crate::notify::{Notifier, notify};
use crate::quic::{Endpoint, EndpointConfig, Timing, TlsKey};
use crate::socket::{Door, auditor_door, officer_door};
use crate::unlock::unlock;
use crate::wiring::{Front, Machine, Quic, chain};
use crate::{cli, entropy};

/// What stopping may take.
const STOP_SECONDS_MAX: u64 = 5;
/// How often that which falls due with time is looked after.
const TEND_SECONDS: u64 = 60;
/// How often it is looked whether an alert has fallen due.
const ALERTS_DUE_SECONDS: u64 = 5;
/// How often it is looked whether there is another relay to collect from.
const RELAYS_LOOK_SECONDS: u64 = 2;
/// Threads that may block: requests of partners, calls of the API, and what they wait for.
const BLOCKING_THREADS_MAX: usize = 160;

/// Set by a parent whose node must not outlive it.
pub(crate) const WITH_PARENT: &str = "SYMBOLON_WITH_PARENT";

/// Runs the node until it is told to stop.
pub(crate) fn run(directory: &Path, given: &Unlock) -> Result<(), Failure> {
    if std::env::var_os(WITH_PARENT).is_some() {
        let signal = Some(rustix::process::Signal::TERM);
        let _ = rustix::process::set_parent_process_death_signal(signal);
    }
    let config = Config::load(directory)
        .map_err(|error| Failure::new(Exit::Invalid, chain(&error), "nothing was started"))?;
    watch(config.log_level);
    let desk = open(directory, &config, given)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Internal, error.to_string(), ""))?;
    let served = runtime.block_on(serve(directory, &config, &desk));
    // Whatever still blocks after the grace is cut off: what it acknowledged is durable.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

/// Opens the desk in `directory`.
pub(crate) fn open(
    directory: &Path,
    config: &Config,
    given: &Unlock,
) -> Result<Arc<Desk>, Failure> {
    let secret = unlock(given, config.key_file.as_deref())?;
    let store = Store::open(directory, &secret, entropy::seed()).map_err(store_failure)?;
    let path = directory.join(&config.policy_file);
    let policy = PolicySet::parse(&cli::read_text(&path)?).map_err(|error| {
        let message = format!("{}: {}", path.display(), chain(&error));
        Failure::invalid(message, "correct the policy and start again")
    })?;
    let surroundings: Arc<dyn Surroundings> = Arc::new(Machine);
    let desk = Desk::open(Arc::new(store), surroundings, policy, config.workers());
    let desk = desk.map_err(|error| desk_failure(&error))?;
    desk.alert_clocks(config.alert_clocks());
    desk.notice_hosts(config.notice_hosts.clone());
    if let Some(items) = config.bulk_partition_items {
        desk.bulk_partition_room(items).map_err(|error| desk_failure(&error))?;
    }
    desk.relay_again(config.relay_again_seconds);
    if let Some(terms) = config.relay_terms() {
        desk.relay_for(terms);
    }
    if let Some(days) = config.log_retention_days {
        desk.log_keep_days(days).map_err(|error| desk_failure(&error))?;
    }
    Ok(Arc::new(desk))
}

async fn serve(directory: &Path, config: &Config, desk: &Arc<Desk>) -> Result<(), Failure> {
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let notifier = Notifier::new(directory, config)?;
    let (endpoint, met) = endpoint(desk, config)?;
    let door = officer_door(directory).await?;
    let auditors = match &config.auditor_socket {
        Some(path) => Some(auditor_door(&directory.join(path)).await?),
        None => None,
    };
    let (stop, _) = tokio::sync::watch::channel(());
    let hotlines = hotline_door(config, desk).await?;
    let paths: Vec<_> =
        [Some(&door), auditors.as_ref()].into_iter().flatten().map(Door::path).collect();
    let api = serve_door(door, desk, Role::Officer, &stop);
    let audits = auditors.map(|door| serve_door(door, desk, Role::Auditor, &stop));
    let hotlines = hotlines.map(|door| tokio::spawn(door.serve(stop.subscribe())));
    let lanes = Lanes::open(desk);
    let every = Duration::from_secs(config.relay_collect_seconds.max(1));
    let collectors = Arc::new(Collectors::new(desk, every, config.relays.clone()));
    let looking = tokio::spawn(look(Arc::clone(&collectors)));
    let woken = Woken { lanes, collectors };
    let chores = tokio::spawn(chores(Arc::clone(desk), config.clone(), met, woken));
    let alerts = tokio::spawn(alerts(Arc::clone(desk)));
    let notices = tokio::spawn(notify(Arc::clone(desk), notifier));
    let address = endpoint.local_addr().map(|address| address.to_string()).unwrap_or_default();
    tracing::info!(%address, node = %desk.identity().node(), "the node is running");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("the node is stopping");
    chores.abort();
    alerts.abort();
    looking.abort();
    notices.abort();
    let _ = stop.send(());
    let grace = Duration::from_secs(STOP_SECONDS_MAX - 1);
    let _ = timeout(grace, async {
        let ((), _) = tokio::join!(endpoint.shutdown(), api);
        if let Some(audits) = audits {
            let _ = audits.await;
        }
        if let Some(hotlines) = hotlines {
            let _ = hotlines.await;
        }
    })
    .await;
    for path in paths {
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}

/// The way to and from partners, and the partners whose sessions begin.
pub(crate) fn endpoint(
    desk: &Arc<Desk>,
    config: &Config,
) -> Result<(Endpoint, Receiver<NodeId>), Failure> {
    let (front, met) = Front::new(desk).map_err(|error| desk_failure(&error))?;
    let front = Arc::new(front);
    let key = tls_key(desk)?;
    let endpoint = Endpoint::bind(EndpointConfig {
        listen: config.listen,
        key,
        directory: front.clone(),
        service: front,
        timing: Timing::default(),
    });
    let endpoint = endpoint.map_err(|error| {
        let message = format!("{}: {}", config.listen, chain(&error));
        Failure::new(Exit::Unavailable, message, "is another node running at this address?")
    })?;
    desk.connect(Arc::new(Quic(endpoint.dialer())));
    Ok((endpoint, met))
}

/// Answers whoever comes through `door`, until `stop` is sent.
fn serve_door(
    door: Door,
    desk: &Arc<Desk>,
    role: Role,
    stop: &tokio::sync::watch::Sender<()>,
) -> tokio::task::JoinHandle<std::io::Result<()>> {
    let mut stopped = stop.subscribe();
    let router = symbolon_web::router(Arc::clone(desk), role);
    let api = axum::serve(door.into_listener(), router).with_graceful_shutdown(async move {
        let _ = stopped.changed().await;
    });
    tokio::spawn(async move { api.await })
}

/// The hotlines' door, where the configuration asks for one.
async fn hotline_door(config: &Config, desk: &Arc<Desk>) -> Result<Option<HotlineDoor>, Failure> {
    let Some(listen) = config.hotline_listen else { return Ok(None) };
    let key = DoorKey::open(desk.store()).map_err(|error| desk_failure(&error))?;
    let urls = match config.hotline_urls.as_slice() {
        // Everywhere is nowhere that a hotline could call.
        [] if listen.ip().is_unspecified() => {
            return Err(Failure::invalid(
                "hotline_listen names no address that a hotline could call",
                "set hotline_urls as well, such as [\"https://node.example:8443\"]",
            ));
        }
        [] => vec![format!("https://{listen}")],
        urls => urls.to_vec(),
    };
    let doorway = Doorway { urls, pins: vec![key.pin()] };
    desk.hotline_doorway(doorway).map_err(|error| desk_failure(&error))?;
    let config = DoorConfig { listen, key, desk: Arc::clone(desk) };
    HotlineDoor::bind(config).await.map(Some)
}

fn tls_key(desk: &Desk) -> Result<TlsKey, Failure> {
    let der = Identity::tls_key(desk.store()).map_err(|error| desk_failure(&error))?;
    TlsKey::from_der(&der).map_err(|error| {
        Failure::new(Exit::Internal, error.to_string(), "restore the node from a backup")
    })
}

fn listen(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Failure> {
    signal(kind).map_err(|error| Failure::new(Exit::Internal, error.to_string(), ""))
}

/// What falls due with time, until the task is aborted.
async fn chores(desk: Arc<Desk>, config: Config, mut met: Receiver<NodeId>, woken: Woken) {
    let mut tend = interval(Duration::from_secs(TEND_SECONDS));
    let mut publish = interval(Duration::from_secs(config.publish_interval_seconds.max(1)));
    let cadence = Duration::from_secs(config.checkpoint_interval_seconds.max(1));
    let mut beat = interval_at(Instant::now() + cadence, cadence);
    loop {
        let desk = Arc::clone(&desk);
        tokio::select! {
            _ = tend.tick() => report(
                spawn_blocking(move || desk.tend().and_then(|()| desk.receipts_collect())).await,
            ),
            _ = beat.tick() => report(spawn_blocking(move || desk.beat()).await),
            Some(node) = met.recv() => {
                woken.lanes.wake(&node);
                woken.collectors.met(&node);
                report(spawn_blocking(move || { desk.met(&node); Ok(()) }).await);
            }
            _ = publish.tick() => report(
                spawn_blocking(move || {
                    let all = TagSetPublish::default();
                    desk.exchange_publish(&Officer::node(), all, &mut Quiet).map(|_| ())
                })
                .await,
            ),
        }
    }
}

/// What is told that a partner was met.
struct Woken {
    lanes: Arc<Lanes>,
    collectors: Arc<Collectors>,
}

/// Looks for relays to collect from, until the task is aborted: routes may change at any time.
async fn look(collectors: Arc<Collectors>) {
    let mut again = interval(Duration::from_secs(RELAYS_LOOK_SECONDS));
    loop {
        again.tick().await;
        collectors.look();
    }
}

/// What falls due of alerts, until the task is aborted: apart, because it waits for no partner.
async fn alerts(desk: Arc<Desk>) {
    let mut due = interval(Duration::from_secs(ALERTS_DUE_SECONDS));
    loop {
        due.tick().await;
        let desk = Arc::clone(&desk);
        report(spawn_blocking(move || desk.alerts_due()).await);
    }
}

fn report(outcome: Result<Result<(), symbolon_desk::DeskError>, tokio::task::JoinError>) {
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "a regular task failed"),
        Err(_) => tracing::error!("a regular task ended unexpectedly"),
    }
}

/// Log lines go to standard error, one JSON object each, times in UTC.
fn watch(level: LogLevel) {
    let level = match level {
        LogLevel::Error => tracing::Level::ERROR,
        LogLevel::Warn => tracing::Level::WARN,
        LogLevel::Info => tracing::Level::INFO,
        LogLevel::Debug => tracing::Level::DEBUG,
    };
    // Libraries may speak of addresses and packets: only what they warn of is written.
    let ours = Targets::new().with_target("symbolon", level).with_default(tracing::Level::WARN);
    let lines = tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr);
    // Another subscriber can only be a test's.
    let _ = tracing_subscriber::registry().with(lines.with_filter(ours)).try_init();
}
