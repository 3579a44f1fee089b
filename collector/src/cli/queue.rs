//! `quartile queue`: looking at the queue and putting it right.

use std::error::Error;
use std::path::Path;

use clap::{Args, Subcommand};
use quartile_collector::config::Config;
use quartile_collector::queue::{self, Audit, Depth, DiskFs, Mended, SegmentAudit};
use serde::Serialize;

const INSPECT: &str = "\
Tells what is in the queue: where the consumer stands, the segments with their bytes and positions, and what was set \
aside. Reads names and headers only, so it is quick, and it may be run beside a collector at work.";

const VERIFY: &str = "\
Reads every record of the queue and checks it. Ends with status 1 when something is damaged or missing, and says which \
bytes of which file, and how many records that costs.

It changes nothing and may be run beside a collector at work; then the end of the last segment, which is being written, \
is not judged. A torn end of the last segment is no damage: a crash left it, nobody was told that it was kept, and the \
next start cuts it off.";

const REPAIR: &str = "\
Takes what is damaged out of the queue. The collector must be stopped.

Segments that cannot be read and the originals of segments with damage inside are kept in the folder `damaged` of the \
queue, for you to look at; every whole record stays in the queue. A torn end is cut. A lost cursor is set to the oldest \
record: what was forwarded before is forwarded again, which changes nothing in the store.

The collector does without this command: it steps over damage by itself and counts it. Records that are missing are \
still told as missing by `verify` until the collector has passed the place.";

/// What can be done with the queue.
#[derive(Subcommand)]
pub enum QueueCommand {
    /// Tell what is in the queue
    #[command(long_about = INSPECT)]
    Inspect(Output),
    /// Check every record; status 1 when something is damaged
    #[command(long_about = VERIFY)]
    Verify(Output),
    /// Set damaged parts aside, keep every whole record
    #[command(long_about = REPAIR)]
    Repair(Output),
    /// Forward again what was forwarded before, or could not be
    #[cfg(feature = "duckdb")]
    #[command(long_about = super::rebuild::REPLAY)]
    Replay(super::rebuild::Replay),
}

/// How the answer looks.
#[derive(Args)]
pub struct Output {
    /// One JSON object instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// The queue has damage; what it is was said already.
#[derive(Debug, thiserror::Error)]
#[error("the queue is damaged")]
struct Damaged;

/// An audit with its verdict, as JSON.
#[derive(Serialize)]
struct Verdict<'a> {
    sound: bool,
    lost_records: u64,
    #[serde(flatten)]
    audit: &'a Audit,
}

/// Does what the command line says.
pub fn run(command: &QueueCommand, config: &Config) -> Result<(), Box<dyn Error>> {
    let dir = &config.queue.dir;
    match command {
        QueueCommand::Inspect(output) => tell(&audit(dir, Depth::Headers)?, output),
        QueueCommand::Verify(output) => {
            let audit = audit(dir, Depth::Records)?;
            tell(&audit, output)?;
            if audit.is_sound() { Ok(()) } else { Err(Damaged.into()) }
        }
        #[cfg(feature = "duckdb")]
        QueueCommand::Replay(replay) => super::rebuild::replay(config, replay),
        QueueCommand::Repair(output) => tell_repair(&queue::mend(&DiskFs, &config.queue)?, output),
    }
}

fn audit(dir: &Path, depth: Depth) -> Result<Audit, queue::OpenError> {
    queue::audit(&DiskFs, dir, depth)
}

fn tell(audit: &Audit, output: &Output) -> Result<(), Box<dyn Error>> {
    if output.json {
        let verdict = Verdict { sound: audit.is_sound(), lost_records: audit.lost_records(), audit };
        println!("{}", serde_json::to_string(&verdict)?);
        return Ok(());
    }
    println!("queue      {}", audit.dir.display());
    println!("in use     {}", if audit.in_use { "yes, a collector is at work" } else { "no" });
    println!("consumer   {}", consumer(audit));
    let bytes = audit.segments.iter().map(|segment| segment.bytes).sum();
    println!("segments   {}, {}", audit.segments.len(), size(bytes));
    for segment in &audit.segments {
        println!("  {}", segment_line(segment));
        segment_problems(segment).iter().for_each(|problem| println!("    ! {problem}"));
    }
    for file in &audit.set_aside {
        println!("set aside  damaged/{}, {}", file.file, size(file.bytes));
    }
    for file in &audit.foreign {
        println!("foreign    {file}, which no queue made; it is left alone");
    }
    Ok(())
}

fn consumer(audit: &Audit) -> String {
    match (&audit.cursor_damage, audit.cursor) {
        (Some(reason), _) => format!("unknown: the cursor is damaged ({reason}); it starts again at the oldest record"),
        (None, Some(position)) => format!("at record {position}"),
        (None, None) => "at the beginning".to_owned(),
    }
}

fn segment_line(segment: &SegmentAudit) -> String {
    let end = segment.end.map_or_else(|| "…".to_owned(), |end| end.to_string());
    let records = segment.records.map(|records| format!(", {records} whole")).unwrap_or_default();
    format!("{}  {:>9}  records {}..{end}{records}", segment.file, size(segment.bytes), segment.first)
}

fn segment_problems(segment: &SegmentAudit) -> Vec<String> {
    let mut problems: Vec<_> = segment.unreadable.iter().map(|reason| format!("unreadable: {reason}")).collect();
    problems.extend(segment.damage.iter().map(|part| format!("bytes {}..{} are no record", part.from, part.to)));
    if segment.lost_records > 0 {
        problems.push(format!("{} records are missing that were not consumed yet", segment.lost_records));
    }
    if segment.torn_bytes > 0 {
        problems.push(format!("{} bytes at the end are torn, as a crash leaves them: no damage", segment.torn_bytes));
    }
    problems
}

fn tell_repair(done: &[Mended], output: &Output) -> Result<(), Box<dyn Error>> {
    if output.json {
        println!("{}", serde_json::to_string(&serde_json::json!({ "repaired": done }))?);
        return Ok(());
    }
    if done.is_empty() {
        println!("The queue needs no repair.");
    }
    done.iter().for_each(|mended| println!("{}", told(mended)));
    Ok(())
}

fn told(mended: &Mended) -> String {
    match mended {
        Mended::SetAside { file, reason, lost_records } => {
            format!("set aside  damaged/{file}: {reason}; {lost_records} records lost")
        }
        Mended::Rewrote { file, kept, into, damaged_bytes, lost_records } => format!(
            "rewrote    {file} as {}: {damaged_bytes} bytes were no record, {lost_records} records lost; the original is {}",
            into.join(", "),
            kept.display(),
        ),
        Mended::Cut { file, bytes } => format!("cut        {bytes} torn bytes from the end of {file}"),
        Mended::ResetCursor { reason } => {
            format!("cursor     was lost ({reason}): everything in the queue is forwarded again")
        }
    }
}

/// Bytes as people write them.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1_024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.1} GiB", bytes as f64 / 1_073_741_824.0),
    }
}
