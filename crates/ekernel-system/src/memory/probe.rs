//! The one probe of free memory.

use std::fmt;

use super::{
    cgroup,
    files::{Files, ThisMachine, number},
};

/// Bytes that this process may still take, and what keeps it from taking more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Available {
    /// How many.
    pub bytes: u64,
    /// The tightest limit.
    pub limit: Limit,
}

/// What limits the memory of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The memory of the machine that nothing else uses.
    Machine,
    /// The memory that the system promises in all (overcommitting is off).
    Commit,
    /// A control group: a container, a batch system, a unit of systemd.
    ControlGroup,
    /// `ulimit -v`.
    AddressSpace,
    /// `ulimit -d`.
    Data,
}

/// What is available on this machine; `None` where the system does not say.
pub fn available() -> Option<Available> {
    #[cfg(target_os = "linux")]
    return of_linux(&ThisMachine);
    #[cfg(not(target_os = "linux"))]
    return of_others();
}

/// What the files of a Linux system say.
pub fn of_linux(files: &dyn Files) -> Option<Available> {
    let meminfo = files.read("/proc/meminfo").unwrap_or_else(|_| String::new());
    let status = files.read("/proc/self/status").unwrap_or_else(|_| String::new());
    let limits = files.read("/proc/self/limits").unwrap_or_else(|_| String::new());
    let under =
        |limit: &str, used: &str| Some(number(&limits, limit)?.saturating_sub(number(&status, used)?));
    let never = files.read("/proc/sys/vm/overcommit_memory").is_ok_and(|mode| mode.trim() == "2");
    let commit =
        || Some(number(&meminfo, "CommitLimit:")?.saturating_sub(number(&meminfo, "Committed_AS:")?));
    let found = [
        (number(&meminfo, "MemAvailable:"), Limit::Machine),
        (if never { commit() } else { None }, Limit::Commit),
        (cgroup::left(files), Limit::ControlGroup),
        (under("Max address space", "VmSize:"), Limit::AddressSpace),
        (under("Max data size", "VmData:"), Limit::Data),
    ];
    let known = found.into_iter().filter_map(|(bytes, limit)| Some(Available { bytes: bytes?, limit }));
    known.min_by_key(|available| available.bytes)
}

#[cfg(not(target_os = "linux"))]
fn of_others() -> Option<Available> {
    let mut system = sysinfo::System::new().ok()?;
    system.refresh_memory_specifics(sysinfo::MemoryRefreshKind::nothing().with_ram());
    let bytes = Some(system.available_memory()).filter(|&bytes| bytes > 0)?;
    Some(Available { bytes, limit: Limit::Machine })
}

impl Limit {
    /// What the bytes are, in words: `free on this machine`.
    pub fn words(self) -> &'static str {
        match self {
            Limit::Machine => "free on this machine",
            Limit::Commit => "left of what this machine promises to its processes",
            Limit::ControlGroup => "left by the control group (container or batch job) of this process",
            Limit::AddressSpace => "left by the limit of its address space (ulimit -v)",
            Limit::Data => "left by the limit of its data (ulimit -d)",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, io};

    use super::*;

    const GIB: u64 = 1 << 30;

    /// Files in memory.
    #[derive(Clone, Default)]
    struct Fake(BTreeMap<String, String>);

    impl Files for Fake {
        fn read(&self, path: &str) -> io::Result<String> {
            self.0.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
        }
    }

    impl Fake {
        fn with(mut self, path: &str, text: impl Into<String>) -> Fake {
            self.0.insert(path.to_owned(), text.into());
            self
        }

        fn group(self, folder: &str, [limit, usage]: [&str; 2], files: [&str; 2], stat: &str) -> Fake {
            let at = |name: &str| format!("{folder}/{name}");
            self.with(&at(files[0]), limit).with(&at(files[1]), usage).with(&at("memory.stat"), stat)
        }
    }

    /// A machine with 16 GiB free and no limits.
    fn machine() -> Fake {
        Fake::default()
            .with("/proc/meminfo", "MemTotal:  33554432 kB\nMemAvailable:   16777216 kB\nCommitLimit: 9437184 kB\nCommitted_AS: 1048576 kB\n")
            .with("/proc/self/status", "Name:\tekernel\nVmSize:\t 1048576 kB\nVmData:\t  524288 kB\n")
            .with(
                "/proc/self/limits",
                "Limit                     Soft Limit           Hard Limit           Units     \n\
                 Max data size             unlimited            unlimited            bytes     \n\
                 Max address space         unlimited            unlimited            bytes     \n",
            )
            .with("/proc/sys/vm/overcommit_memory", "0\n")
    }

    const V2: [&str; 2] = ["memory.max", "memory.current"];
    const V1: [&str; 2] = ["memory.limit_in_bytes", "memory.usage_in_bytes"];
    const MOUNT2: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

    fn found(files: &Fake) -> (u64, Limit) {
        let available = of_linux(files).unwrap();
        (available.bytes, available.limit)
    }

    #[test]
    fn a_machine_without_limits() {
        assert_eq!(found(&machine()), (16 * GIB, Limit::Machine));
        assert_eq!(of_linux(&Fake::default()), None);
    }

    #[test]
    fn the_tightest_of_nested_groups_counts_and_cache_is_free() {
        let group = machine()
            .with("/proc/self/cgroup", "0::/user.slice/job.scope/step\n")
            .with("/proc/self/mountinfo", format!("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n{MOUNT2}"))
            .group("/sys/fs/cgroup/user.slice/job.scope/step", ["max\n", "1073741824\n"], V2, "")
            .group(
                "/sys/fs/cgroup/user.slice/job.scope",
                ["4294967296\n", "3221225472\n"],
                V2,
                "anon 7\nactive_file 536870912\ninactive_file 1073741824\nslab_reclaimable 0\n",
            )
            .group("/sys/fs/cgroup/user.slice", ["8589934592\n", "3221225472\n"], V2, "");
        // 4 GiB − (3 GiB − 1.5 GiB of cache).
        assert_eq!(found(&group), (5 * GIB / 2, Limit::ControlGroup));
    }

    #[test]
    fn a_container_sees_its_own_group_as_the_root() {
        let inside = |mount: &str, group: &str| {
            machine()
                .with("/proc/self/cgroup", format!("0::{group}\n"))
                .with("/proc/self/mountinfo", mount)
                .group("/sys/fs/cgroup", ["2147483648", "1073741824"], V2, "")
        };
        let own = "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
        for (mount, group) in [(MOUNT2, "/"), (own, "/docker/abc"), (own, "/elsewhere"), (MOUNT2, "/../..")] {
            assert_eq!(found(&inside(mount, group)), (GIB, Limit::ControlGroup), "{group}");
        }
    }

    #[test]
    fn the_first_form_of_control_groups() {
        let mounts = "40 30 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n\
                      41 30 0:31 / /sys/fs/cgroup/memory rw shared:15 - cgroup cgroup rw,memory\n";
        let group = machine()
            .with("/proc/self/cgroup", "12:cpu,cpuacct:/a\n5:memory:/slurm/job\n1:name=systemd:/a\n0::/a\n")
            .with("/proc/self/mountinfo", mounts)
            .group("/sys/fs/cgroup/memory/slurm/job", ["9223372036854771712", "9"], V1, "")
            .group(
                "/sys/fs/cgroup/memory/slurm",
                ["3221225472", "2147483648"],
                V1,
                "inactive_file 1\ntotal_inactive_file 1073741824\ntotal_active_file 0\n",
            );
        assert_eq!(found(&group), (2 * GIB, Limit::ControlGroup));
    }

    #[test]
    fn limits_of_the_process() {
        let limited = |line: &str| machine().with("/proc/self/limits", line);
        let space =
            limited("Max address space         3221225472           unlimited            bytes     \n");
        assert_eq!(found(&space), (2 * GIB, Limit::AddressSpace));
        let data =
            limited("Max data size             1073741824           1073741824           bytes     \n");
        assert_eq!(found(&data), (GIB / 2, Limit::Data));
        let less_than_used =
            limited("Max address space         1024                 unlimited            bytes\n");
        assert_eq!(found(&less_than_used), (0, Limit::AddressSpace));
    }

    #[test]
    fn a_machine_that_never_overcommits() {
        assert_eq!(found(&machine().with("/proc/sys/vm/overcommit_memory", "2\n")), (8 * GIB, Limit::Commit));
    }

    #[test]
    fn garbage_is_no_limit() {
        let garbage = machine()
            .with("/proc/self/cgroup", "0::/a\nx\n5:memory\n")
            .with("/proc/self/mountinfo", format!("- cgroup2\n{MOUNT2}"))
            .group("/sys/fs/cgroup/a", ["many", "-1"], V2, "inactive_file\n")
            .with("/proc/self/limits", "Max address space\n");
        assert_eq!(found(&garbage), (16 * GIB, Limit::Machine));
    }

    #[test]
    fn this_machine_says_how_much_memory_it_has() {
        // At least a page and less than an exbibyte: the unit is bytes.
        let found = available();
        assert!(found.is_none_or(|found| (4096..1 << 60).contains(&found.bytes)), "{found:?}");
    }
}
