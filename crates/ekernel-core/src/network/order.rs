//! Which layers each layer reads, and an order in which each follows what it reads. All in time linear in the network.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use super::{Entry, Source};
use crate::{
    ArchError,
    error::{Place, nearest},
};

/// What each entry reads, as positions of entries.
pub(super) fn resolve(entries: &[Entry], places: &[Place]) -> Result<Vec<Vec<Source>>, ArchError> {
    let mut named: HashMap<&str, usize> = HashMap::new();
    for (i, entry) in entries.iter().enumerate() {
        let Some(name) = entry.name.as_deref() else { continue };
        if let Some(other) = named.insert(name, i) {
            let (place, other) = (places[i].clone(), places[other].clone());
            return Err(ArchError::DuplicateName { place, name: name.to_owned(), other });
        }
    }
    let names = || std::iter::once("input").chain(entries.iter().filter_map(|e| e.name.as_deref()));
    let find = |i: usize, name: &String| match (name.as_str(), named.get(name.as_str())) {
        ("input", _) => Ok(Source::Input),
        (_, Some(&entry)) => Ok(Source::Node(entry)),
        (_, None) => Err(ArchError::UnknownInput {
            place: places[i].clone(),
            input: name.clone(),
            nearest: nearest(name, names()),
            known: names().collect::<Vec<_>>().join(", "),
        }),
    };
    let mut reads = Vec::with_capacity(entries.len());
    for (i, entry) in entries.iter().enumerate() {
        let sources: Vec<Source> = match &entry.inputs {
            None => vec![i.checked_sub(1).map_or(Source::Input, Source::Node)],
            Some(names) => names.iter().map(|name| find(i, name)).collect::<Result<_, _>>()?,
        };
        let arity = entry.layer.arity();
        if !arity.allows(sources.len()) {
            let (place, found) = (places[i].clone(), sources.len());
            return Err(ArchError::InputCount { place, needs: arity.needs(), found });
        }
        reads.push(sources);
    }
    Ok(reads)
}

/// The entries in an order in which each follows what it reads (file order where that is free).
pub(super) fn sorted(reads: &[Vec<Source>], places: &[Place]) -> Result<Vec<usize>, ArchError> {
    let mut readers = vec![Vec::new(); reads.len()];
    let mut missing = vec![0; reads.len()];
    for (i, sources) in reads.iter().enumerate() {
        for source in sources {
            if let Source::Node(j) = source {
                readers[*j].push(i);
                missing[i] += 1;
            }
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..reads.len()).filter(|&i| missing[i] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(reads.len());
    while let Some(Reverse(i)) = ready.pop() {
        order.push(i);
        for &reader in &readers[i] {
            missing[reader] -= 1;
            if missing[reader] == 0 {
                ready.push(Reverse(reader));
            }
        }
    }
    if order.len() < reads.len() {
        return Err(ArchError::Cycle { path: cycle(reads, &missing, places) });
    }
    Ok(order)
}

/// The layers of one cycle among those that miss an input: from any of them, walk to such an input until one repeats.
fn cycle(reads: &[Vec<Source>], missing: &[usize], places: &[Place]) -> String {
    let blocked = |i: usize| {
        reads[i].iter().find_map(|source| match source {
            Source::Node(j) if missing[*j] > 0 => Some(*j),
            _ => None,
        })
    };
    let mut path: Vec<usize> = missing.iter().position(|m| *m > 0).into_iter().collect();
    let mut at = vec![None; reads.len()];
    while let Some(next) = path.last().and_then(|&i| blocked(i)) {
        at[path[path.len() - 1]] = Some(path.len() - 1);
        if let Some(start) = at[next] {
            path.drain(..start);
            path.push(next);
            break;
        }
        path.push(next);
    }
    path.reverse();
    path.iter().map(|&i| places[i].to_string()).collect::<Vec<_>>().join(" → ")
}

/// Refuses layers that nothing reads, and a last one that something reads.
pub(super) fn unread(reads: &[Vec<Source>], places: &[Place]) -> Result<(), ArchError> {
    let last = reads.len() - 1;
    let mut read = vec![false; reads.len()];
    for source in reads.iter().flatten() {
        if let Source::Node(i) = source {
            read[*i] = true;
        }
    }
    match (0..last).find(|&i| !read[i]).or(read[last].then_some(last)) {
        None => Ok(()),
        Some(i) => Err(ArchError::Unread { place: places[i].clone() }),
    }
}
