//! How busy the machine and the daemon's own threads are, sampled every few seconds: what `show processes cpu` and
//! `show memory statistics` print. `tasks::poll` takes the samples, the router keeps them.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Serialize;

use crate::json::milliseconds;

/// Time between two samples.
pub const EVERY: Duration = Duration::from_secs(5);
/// What IOS averages over.
const WINDOWS: [Duration; 3] = [
    Duration::from_secs(5),
    Duration::from_secs(60),
    Duration::from_secs(300),
];
/// Samples that reach back over the longest window.
const KEPT: usize = 61;

/// Processor and memory use. The three values of a share are percentages over five seconds, one minute and five minutes.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Load {
    /// All processors, all programs.
    #[serde(rename = "busy_percent", serialize_with = "shares")]
    #[schemars(with = "Percent")]
    pub busy: [f64; 3],
    /// Of this the time in interrupts, over five seconds.
    #[serde(rename = "interrupt_percent")]
    pub interrupt: f64,
    /// The daemon's threads.
    pub threads: Vec<Thread>,
    /// The machine's memory.
    pub memory: Memory,
}

/// A share of the processors' time.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct Percent {
    /// Over five seconds.
    five_seconds: f64,
    /// Over one minute.
    one_minute: f64,
    /// Over five minutes.
    five_minutes: f64,
}

fn shares<S: serde::Serializer>(share: &[f64; 3], to: S) -> Result<S::Ok, S::Error> {
    let [five_seconds, one_minute, five_minutes] = *share;
    Percent {
        five_seconds,
        one_minute,
        five_minutes,
    }
    .serialize(to)
}

/// One thread of the daemon.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Thread {
    /// Its number in the system.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Processor time used.
    #[serde(rename = "runtime_milliseconds", serialize_with = "milliseconds")]
    #[schemars(with = "u64")]
    pub runtime: Duration,
    /// How often it was given a processor.
    pub invoked: u64,
    /// Its share of all processors.
    #[serde(rename = "busy_percent", serialize_with = "shares")]
    #[schemars(with = "Percent")]
    pub busy: [f64; 3],
}

/// The machine's memory, divided as IOS divides it.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Memory {
    /// What programs and the kernel share.
    pub processor: Pool,
    /// What the kernel lets the buffers of sockets take of it.
    pub io: Pool,
}

/// A part of the memory, in octets.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Pool {
    /// All there is.
    #[serde(rename = "total_bytes")]
    pub total: u64,
    /// What is not free.
    #[serde(rename = "used_bytes")]
    pub used: u64,
    /// What one can still get.
    #[serde(rename = "free_bytes")]
    pub free: u64,
    /// The least that was free at any sample since the daemon started.
    #[serde(rename = "lowest_bytes")]
    pub lowest: u64,
    /// What is in no use at all, not even as a cache.
    #[serde(rename = "unused_bytes")]
    pub unused: u64,
}

/// Processor time used, in clock ticks since the machine or the thread started.
#[derive(Debug, Clone, Default)]
struct Sample {
    at: Option<Instant>,
    busy: u64,
    interrupt: u64,
    total: u64,
    threads: HashMap<u32, u64>,
}

/// The samples of the last five minutes.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    samples: VecDeque<Sample>,
    /// The least free memory of all samples: of programs, of sockets.
    lowest_free: Option<[u64; 2]>,
}

impl Meter {
    /// Remembers how things stand now.
    pub fn sample(&mut self) {
        self.samples.push_back(sample(Instant::now()));
        let surplus = self.samples.len().saturating_sub(KEPT);
        self.samples.drain(..surplus);
        let memory = self.memory();
        self.lowest_free = Some([memory.processor.lowest, memory.io.lowest]);
    }

    /// What happened since the samples that are one window old; for a window that reaches back too far, since the oldest one.
    #[must_use]
    pub fn load(&self) -> Load {
        let now = Instant::now();
        let present = sample(now);
        let start = Sample::default();
        let before = WINDOWS.map(|window| {
            let old =
                |sample: &&Sample| sample.at.is_some_and(|at| now.duration_since(at) >= window);
            let found = self.samples.iter().rev().find(old);
            found.or(self.samples.front()).unwrap_or(&start)
        });
        let share = |get: fn(&Sample) -> u64| {
            before.map(|before| {
                percent(
                    get(&present).saturating_sub(get(before)),
                    present.total.saturating_sub(before.total),
                )
            })
        };
        Load {
            busy: share(|sample| sample.busy),
            interrupt: share(|sample| sample.interrupt)[0],
            threads: threads(&present, &before),
            memory: self.memory(),
        }
    }

    /// The machine's memory now.
    fn memory(&self) -> Memory {
        let mut memory = memory();
        if let Some([processor, io]) = self.lowest_free {
            memory.processor.lowest = memory.processor.lowest.min(processor);
            memory.io.lowest = memory.io.lowest.min(io);
        }
        memory
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    // Ticks of a few minutes: far below where a double loses units.
    100.0 * part as f64 / whole as f64
}

fn sample(at: Instant) -> Sample {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields: Vec<u64> = text
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .map_while(|word| word.parse().ok())
        .collect();
    // user nice system idle iowait irq softirq steal; guest time is in user time already.
    let field = |index: usize| fields.get(index).copied().unwrap_or(0);
    let total = fields.iter().take(8).sum();
    Sample {
        at: Some(at),
        busy: total - field(3) - field(4),
        interrupt: field(5) + field(6),
        total,
        threads: tasks()
            .into_iter()
            .map(|task| (task.id, task.ticks))
            .collect(),
    }
}

/// A thread of the daemon as the kernel tells.
struct Task {
    id: u32,
    name: String,
    ticks: u64,
    switches: u64,
}

fn tasks() -> Vec<Task> {
    let Ok(folder) = fs::read_dir("/proc/self/task") else {
        return Vec::new();
    };
    let mut all: Vec<Task> = folder
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let stat = fs::read_to_string(path.join("stat")).ok()?;
            let status = fs::read_to_string(path.join("status")).unwrap_or_default();
            task(&stat, &status)
        })
        .collect();
    all.sort_by_key(|task| task.id);
    all
}

/// Reads `stat` and `status` of a thread. The name in brackets may hold anything, brackets too.
fn task(stat: &str, status: &str) -> Option<Task> {
    let (start, end) = (stat.find('(')?, stat.rfind(')')?);
    let fields: Vec<&str> = stat[end + 1..].split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|word| word.parse::<u64>().ok());
    let switches = status
        .lines()
        .filter(|line| line.contains("voluntary_ctxt_switches:"))
        .filter_map(|line| line.rsplit(':').next()?.trim().parse::<u64>().ok())
        .sum();
    Some(Task {
        id: stat[..start].trim().parse().ok()?,
        name: stat[start + 1..end].to_owned(),
        ticks: ticks(11)? + ticks(12)?,
        switches,
    })
}

fn threads(present: &Sample, before: &[&Sample; 3]) -> Vec<Thread> {
    let per_second = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)
        .ok()
        .flatten()
        .and_then(|ticks| u64::try_from(ticks).ok())
        .filter(|ticks| *ticks > 0)
        .unwrap_or(100);
    let thread = |task: Task| {
        let busy = before.map(|before| {
            let used = before.threads.get(&task.id).copied().unwrap_or(0);
            percent(
                task.ticks.saturating_sub(used),
                present.total.saturating_sub(before.total),
            )
        });
        Thread {
            id: task.id,
            name: task.name,
            runtime: Duration::from_millis(task.ticks * 1000 / per_second),
            invoked: task.switches,
            busy,
        }
    };
    tasks().into_iter().map(thread).collect()
}

/// The machine's memory now; `lowest` is `free`.
fn memory() -> Memory {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let octets = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or(0) * 1024
    };
    let free = octets("MemAvailable:");
    let total = octets("MemTotal:");
    Memory {
        processor: Pool {
            total,
            used: total.saturating_sub(free),
            free,
            lowest: free,
            unused: octets("MemFree:"),
        },
        io: socket_memory(),
    }
}

/// The memory that sockets may take: the kernel's limits are in pages, and so is what it counts.
fn socket_memory() -> Pool {
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
        .ok()
        .flatten()
        .and_then(|size| u64::try_from(size).ok())
        .unwrap_or(4096);
    let limit = |file: &str| -> u64 {
        let text = fs::read_to_string(file).unwrap_or_default();
        let most = text.split_whitespace().nth(2);
        most.and_then(|pages| pages.parse().ok()).unwrap_or(0)
    };
    let counted = fs::read_to_string("/proc/net/sockstat").unwrap_or_default();
    let used: u64 = counted
        .lines()
        .filter_map(|line| line.split_once(" mem ")?.1.trim().parse::<u64>().ok())
        .sum();
    let total = limit("/proc/sys/net/ipv4/tcp_mem") + limit("/proc/sys/net/ipv4/udp_mem");
    let free = total.saturating_sub(used) * page;
    Pool {
        total: total * page,
        used: used * page,
        free,
        lowest: free,
        unused: free,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_may_be_called_anything() {
        let stat = "4711 (a) b) S 1 4711 4711 0 -1 4194560 100 0 0 0 25 17 0 0 20 0 3 0 5";
        let status = "Name:\ta) b\nvoluntary_ctxt_switches:\t40\nnonvoluntary_ctxt_switches:\t2\n";
        let task = task(stat, status).unwrap();
        assert_eq!(
            (task.id, task.name.as_str(), task.ticks, task.switches),
            (4711, "a) b", 42, 42)
        );
    }

    #[test]
    fn the_machine_tells_its_load() {
        let mut meter = Meter::default();
        meter.sample();
        let load = meter.load();
        let own = std::process::id();
        assert!(load.threads.iter().any(|thread| thread.id == own));
        assert!(load.busy.iter().all(|busy| (0.0..=100.0).contains(busy)));
        for pool in [load.memory.processor, load.memory.io] {
            assert!(pool.lowest <= pool.free && pool.free <= pool.total && pool.free > 0);
        }
    }
}
