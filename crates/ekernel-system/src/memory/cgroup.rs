//! What control groups leave: containers, batch systems, units of systemd.
//!
//! Every group above this process has a limit of its own, and the tightest one counts. Page cache
//! is taken to be free: the system gives it back before it ends a process.

use super::files::{Files, number};

/// Where a group lies in one of the two forms of control groups, and what its files are called.
struct Form {
    limit: &'static str,
    usage: &'static str,
    /// Lines of `memory.stat` that count memory which is given back under pressure.
    cache: &'static [&'static str],
}

const V2: Form = Form {
    limit: "memory.max",
    usage: "memory.current",
    cache: &["inactive_file ", "active_file ", "slab_reclaimable "],
};

const V1: Form = Form {
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    cache: &["total_inactive_file ", "total_active_file "],
};

/// Version 1 says "no limit" by a number next to the largest.
const NO_LIMIT: u64 = 1 << 60;

/// Bytes that the groups of this process leave; `None` where none has a limit.
pub(super) fn left(files: &dyn Files) -> Option<u64> {
    let groups = files.read("/proc/self/cgroup").ok()?;
    let mounts = files.read("/proc/self/mountinfo").ok()?;
    let mut least: Option<u64> = None;
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(id), Some(controllers), Some(group)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let form = if id == "0" && controllers.is_empty() {
            &V2
        } else if controllers.split(',').any(|controller| controller == "memory") {
            &V1
        } else {
            continue;
        };
        let Some((top, folder)) = mounted(&mounts, form, group) else { continue };
        for folder in upwards(&top, &folder) {
            least = least.into_iter().chain(left_in(files, folder, form)).min();
        }
    }
    least
}

/// Where the hierarchy is mounted, and the folder of `group` in it.
///
/// Inside a container the mount may show the container's own group as its root, or the group may
/// lie outside what is mounted; then the mount itself is the nearest that can be seen.
fn mounted(mounts: &str, form: &Form, group: &str) -> Option<(String, String)> {
    mounts.lines().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let (root, point) = (place.next()?, place.next()?);
        let mut kind = kind.split(' ');
        let found = match kind.next()? {
            "cgroup2" => form.limit == V2.limit,
            "cgroup" => {
                form.limit == V1.limit && kind.next_back()?.split(',').any(|option| option == "memory")
            }
            _ => false,
        };
        let below = match root {
            "/" => Some(group),
            _ => group.strip_prefix(root).filter(|rest| rest.is_empty() || rest.starts_with('/')),
        };
        let below = below.filter(|below| !below.contains("..")).unwrap_or("").trim_end_matches('/');
        found.then(|| (point.to_owned(), format!("{point}{below}")))
    })
}

/// `folder` and every folder above it, down to `top`.
fn upwards<'a>(top: &'a str, folder: &'a str) -> impl Iterator<Item = &'a str> {
    std::iter::successors(Some(folder), move |folder| {
        folder.rsplit_once('/').map(|(above, _)| above).filter(|above| above.len() >= top.len())
    })
}

fn left_in(files: &dyn Files, folder: &str, form: &Form) -> Option<u64> {
    let read = |name: &str| files.read(&format!("{folder}/{name}")).ok();
    let limit: u64 = read(form.limit)?.trim().parse().ok().filter(|&limit| limit < NO_LIMIT)?;
    let usage: u64 = read(form.usage)?.trim().parse().ok()?;
    let stat = read("memory.stat");
    let cached = stat.iter().flat_map(|stat| form.cache.iter().filter_map(|key| number(stat, key)));
    Some(limit.saturating_sub(usage.saturating_sub(cached.sum())))
}
