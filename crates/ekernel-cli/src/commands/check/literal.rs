//! What the literal reference computes in seconds.

use ekernel_core::{
    Input, KernelSet, Network,
    plan::{PlaneOp, Pointwise, Sink},
};

use crate::{
    architecture::Architecture,
    failure::mistake,
    output,
    words::{duration, number},
};

/// Multiplications that the literal recursion of one pair may take, so that a check takes seconds; larger images are made
/// smaller.
const LITERAL_WORK: u64 = 60_000_000;

/// The network itself, or the same layers on the largest image, or the largest bandlimit, that the literal reference computes
/// in seconds.
pub(super) fn affordable(architecture: &Architecture) -> anyhow::Result<Network> {
    let network = &architecture.network;
    if is_affordable(network) {
        return Ok(network.clone());
    }
    let smaller = match *network.input() {
        Input::Vector { .. } => return Ok(network.clone()),
        Input::Image { height, width, channels } => {
            let longer = height.max(width);
            (1..longer).rev().find_map(|side| {
                let scaled = |extent: usize| (extent * side).div_ceil(longer);
                let shape = [scaled(height), scaled(width), channels];
                let extents: Option<Vec<_>> = shape.into_iter().map(integer).collect();
                with_input(network, "shape", toml::Value::Array(extents?)).filter(is_affordable)
            })
        }
        Input::Sphere { bandlimit, .. } | Input::Molecule { bandlimit, .. } => (1..bandlimit)
            .rev()
            .find_map(|smaller| with_input(network, "bandlimit", integer(smaller)?).filter(is_affordable)),
    };
    smaller.ok_or_else(|| {
        mistake(format!(
            "{}: its literal tensors are too large for the reference, and its layers fit on no smaller input; check a \
             shallower network of the same layers",
            architecture.path.display()
        ))
    })
}

/// Says what the reference will take where that is more than a moment.
pub(super) fn announce(network: &Network, pairs: u64, quiet: bool) {
    /// Multiplications of a core in a second, about.
    const PACE: f64 = 5e8;
    let Some(work) = literal_work(network) else { return };
    let all = work as f64 * pairs as f64;
    if all < 2.0 * PACE {
        return;
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let (each, time) = (number(work as f64 / 1e6), duration(all / PACE / cores));
    output::note(
        quiet,
        &format!("reference: {pairs} pairs of {each} million multiplications each, about {time}"),
    );
}

fn integer(value: usize) -> Option<toml::Value> {
    i64::try_from(value).ok().map(toml::Value::Integer)
}

/// Whether the literal recursion of a pair stays within bounds.
fn is_affordable(network: &Network) -> bool {
    literal_work(network).is_some_and(|work| work <= LITERAL_WORK)
}

/// Multiplications of the literal recursion of a pair: all pairs of positions, all |H|² blocks, every tap; of an input that
/// is too large already, those of its first tensor. Saturates.
fn literal_work(network: &Network) -> Option<u64> {
    /// Multiplications that an angle function costs, about.
    const DUAL: u64 = 20;
    /// Of two molecules of four atoms.
    const ATOM_PAIRS: u64 = 16;
    let squared = |n: u64| n.saturating_mul(n);
    if let ekernel_core::Input::Image { .. } = network.input() {
        let first = squared(network.input().domain().positions() as u64);
        if first > LITERAL_WORK {
            return Some(first);
        }
    }
    let plan = ekernel_core::Plan::new(network, KernelSet::Both).ok()?;
    let blocks = plan.group.map_or(1, |group| group.order() as u64).pow(2);
    let ops = plan.stages.iter().flat_map(|stage| &stage.ops);
    let work = ops.map(|op| {
        let positions = op.at.positions() as u64;
        let each = match op.op {
            PlaneOp::BoxMean(window) => (window.size[0] as u64).saturating_mul(window.size[1] as u64),
            PlaneOp::Pointwise(Pointwise::Dual(_)) => DUAL,
            _ => 1,
        };
        positions.saturating_mul(positions).saturating_mul(blocks).saturating_mul(each)
    });
    // Every pair of taps of both windows.
    let pools = plan.stages.iter().filter_map(|stage| match &stage.sink {
        Sink::LocalPool { window, .. } => {
            let pooled = squared((stage.output[0] as u64).saturating_mul(stage.output[1] as u64));
            Some(pooled.saturating_mul(blocks).saturating_mul(squared(window.area() as u64)))
        }
        _ => None,
    });
    // On SO(3) every degree is summed at every point of the grid, for every pair of atoms.
    let atoms = if plan.atoms.is_some() { ATOM_PAIRS } else { 1 };
    let rotations = plan.rotations.iter().map(|stage| {
        let degrees: u64 = (0..stage.bandlimit as u64).map(|l| (2 * l + 1).pow(2)).sum();
        (stage.points() as u64).saturating_mul(degrees).saturating_mul(atoms)
    });
    Some(work.chain(pools).chain(rotations).fold(0, u64::saturating_add))
}

/// The same layers on another input, if they fit on it.
fn with_input(network: &Network, key: &str, value: toml::Value) -> Option<Network> {
    let mut table: toml::Table = network.to_toml().parse().ok()?;
    table.get_mut("input")?.as_table_mut()?.insert(key.to_owned(), value);
    table.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pooled(side: usize) -> Network {
        let conv = "[[layers]]\nop = 'conv'\nfilter = [3, 3]\n[[layers]]\nop = 'relu'\n";
        let pool = "[[layers]]\nop = 'avg_pool'\nwindow = [4, 4]\nstrides = [1, 1]\n";
        let input = format!("[input]\nspace = 'image'\nshape = [{side}, {side}, 1]\n");
        format!("{input}{conv}{pool}[[layers]]\nop = 'flatten'\n[[layers]]\nop = 'dense'\n").parse().unwrap()
    }

    #[test]
    fn taps_of_pools_count() {
        // 5×5 positions behind the pool, 16 taps each; the convolution and the ReLU have 8×8 positions.
        let (conv, relu, pool) = (64 * 64 * 9, 64 * 64 * 20, 25 * 25 * 16 * 16);
        let work = literal_work(&pooled(10)).unwrap();
        assert!((conv + relu + pool..2 * (conv + relu + pool)).contains(&work), "{work}");
    }

    #[test]
    fn no_plan_is_made_of_what_is_too_large_anyway() {
        assert_eq!(literal_work(&pooled(4096)), Some(1 << 48));
        assert!(!is_affordable(&pooled(4096)));
    }
}
