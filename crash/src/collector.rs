//! The process that collects: the product's own library, around its own store, which can be told to fail, to hang, to
//! refuse or to break, and with a clock that can be told to jump.
//!
//! A small file tells it: a word for the store, and milliseconds by which the clock is wrong.

use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use quartile_collector::app::{self, Bounds, Collector};
use quartile_collector::clock::Clock;
use quartile_collector::config::{self, Config};
use quartile_collector::report::plan::Plan;
use quartile_collector::report::table::Table;
use quartile_collector::store::cancel::Cancel;
use quartile_collector::store::{Store, StoreError};
use quartile_protocol::clock::Wall;
use quartile_protocol::dimension::Dimension;
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::{EventRow, Row};
use tokio::signal::unix::{SignalKind, signal};

use crate::Result;
use crate::receiver::SECRET;
use crate::state::POISON;

/// How often a store that hangs looks whether it may go on.
const LOOK: Duration = Duration::from_millis(20);

/// How it is started.
#[derive(Args)]
pub struct Options {
    /// Where to listen
    #[arg(long)]
    listen: SocketAddr,
    /// The folder of everything
    #[arg(long)]
    data: PathBuf,
    /// The file that tells what to do
    #[arg(long)]
    control: PathBuf,
    /// How long rows wait for company
    #[arg(long)]
    delay_ms: u64,
    /// Where a further sink listens
    #[arg(long)]
    sink: SocketAddr,
}

/// What the store is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Work.
    Works,
    /// Say that it cannot now.
    Fails,
    /// Say nothing.
    Hangs,
    /// Refuse one video for ever.
    Refuses,
    /// Say that it broke, so that it is opened again.
    Breaks,
    /// Panic.
    Panics,
}

/// The configuration of a round, also for who looks at the files afterwards.
pub fn settings(data: PathBuf, listen: SocketAddr, sink: SocketAddr, delay_ms: u64) -> Result<Config> {
    let env = move |name: &str| match name {
        "QUARTILE_LISTEN" => Some(listen.to_string()),
        "QUARTILE_DATA_DIR" => Some(data.display().to_string()),
        "QUARTILE_FORWARD_DELAY_MS" => Some(delay_ms.to_string()),
        // A weaker promise is for seeing that this harness notices when it is broken.
        "QUARTILE_DURABILITY" => config::process_env(name),
        _ => None,
    };
    let text = format!(
        "auth = \"none\"\n[[sites]]\nid = \"demo\"\norigins = [\"*\"]\n[archive]\nkeep_days = 300\n[[sinks]]\nname = \"far\"\n\
         kind = \"http\"\nurl = \"http://{sink}/\"\nsecret = \"{SECRET}\"\nsettle_seconds = 1"
    );
    let mut config = config::parse(&text, &env)?;
    // Several segments in a round, and room for all that is damaged.
    config.queue.segment_bytes = 24 << 10;
    config.queue.max_bytes = 32 << 20;
    Ok(config)
}

/// Collects until SIGTERM.
pub fn run(options: &Options) -> Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).log_internal_errors(false).init();
    std::thread::spawn(end_with_the_harness);
    let config = settings(options.data.clone(), options.listen, options.sink, options.delay_ms)?;
    let control = options.control.clone();
    let wrong = control.clone();
    let clock = Clock::of(move || Clock::system().now().shifted(Control::read(&wrong).clock_ms));
    let (opened, of_store) = (config.clone(), clock.clone());
    let open_store = move || {
        let inner = app::open_store(&opened, &of_store)?;
        Ok(Arc::new(Breakable { inner, control: control.clone() }) as Arc<dyn Store>)
    };
    let bounds = Bounds { drain_time: Duration::from_secs(3), close_time: Duration::from_secs(2), ..Bounds::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended: Result<()> = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let collector = Collector::start(config, clock, bounds, open_store).await?;
        terminate.recv().await;
        collector.stop().await;
        Ok(())
    });
    runtime.shutdown_background();
    ended
}

/// Standard input says nothing, and closes when the harness is no more.
fn end_with_the_harness() {
    let _ = std::io::stdin().read(&mut [0; 1]);
    std::process::exit(1);
}

/// What the file says.
struct Control {
    mode: Mode,
    clock_ms: i64,
}

impl Control {
    fn read(path: &PathBuf) -> Self {
        let text = fs::read_to_string(path).unwrap_or_default();
        let (mode, clock) = text.trim().split_once(' ').unwrap_or_default();
        Self { mode: Mode::from_str(mode, false).unwrap_or(Mode::Works), clock_ms: clock.parse().unwrap_or_default() }
    }
}

/// What the file has to say for this.
pub fn control(mode: Mode, clock_ms: i64) -> String {
    let mode = mode.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    format!("{mode} {clock_ms}")
}

struct Breakable {
    inner: Arc<dyn Store>,
    control: PathBuf,
}

impl Breakable {
    fn mode(&self) -> Mode {
        Control::read(&self.control).mode
    }
}

impl Store for Breakable {
    fn append(&self, rows: &[Row], events: &[EventRow]) -> std::result::Result<(), StoreError> {
        while self.mode() == Mode::Hangs {
            std::thread::sleep(LOOK);
        }
        match self.mode() {
            Mode::Fails => return Err(StoreError::Unavailable("told to fail".into())),
            Mode::Breaks => return Err(StoreError::Broken("told to break".into())),
            Mode::Panics => panic!("told to panic"),
            Mode::Refuses if rows.iter().any(|row| &row.dimensions[Dimension::Video] == POISON) => {
                return Err(StoreError::Refused("told to refuse".into()));
            }
            _ => {}
        }
        self.inner.append(rows, events)
    }

    fn mark(&self, position: u64) -> std::result::Result<(), StoreError> {
        self.inner.mark(position)
    }

    fn rows(&self, site: &SiteId, keys: &[(ViewId, u32)]) -> std::result::Result<Vec<Row>, StoreError> {
        self.inner.rows(site, keys)
    }

    fn query(&self, plan: &Plan, cancel: &Cancel) -> std::result::Result<Table, StoreError> {
        self.inner.query(plan, cancel)
    }

    fn earliest(&self, site: &SiteId) -> std::result::Result<Option<Wall>, StoreError> {
        self.inner.earliest(site)
    }

    fn timeline(&self, site: &SiteId, view: ViewId) -> std::result::Result<Vec<EventRow>, StoreError> {
        self.inner.timeline(site, view)
    }

    fn forget(&self, site: &SiteId, before: i64) -> std::result::Result<u64, StoreError> {
        self.inner.forget(site, before)
    }

    fn maintain(&self) -> std::result::Result<(), StoreError> {
        self.inner.maintain()
    }

    fn ready(&self) -> std::result::Result<(), StoreError> {
        self.inner.ready()
    }

    fn close(&self) -> std::result::Result<(), StoreError> {
        self.inner.close()
    }
}
