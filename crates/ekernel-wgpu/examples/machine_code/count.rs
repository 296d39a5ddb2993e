//! Counts machine instructions of AMD GPUs by the unit that executes them.

use std::collections::HashMap;

/// Instructions by unit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Count {
    pub(crate) vector: f64,
    /// Roots, quotients and products of 32 bits, which take four slots.
    pub(crate) quarter_rate: f64,
    pub(crate) scalar: f64,
    pub(crate) branch: f64,
    pub(crate) workgroup_memory: f64,
    pub(crate) storage: f64,
    pub(crate) constant: f64,
    pub(crate) barrier: f64,
}

impl Count {
    /// Issue slots: one for an instruction, four for those of quarter rate.
    pub(crate) fn slots(&self) -> f64 {
        let Count { vector, quarter_rate, scalar, branch, workgroup_memory, storage, constant, barrier } =
            self;
        vector + 4.0 * quarter_rate + scalar + branch + workgroup_memory + storage + constant + barrier
    }

    /// Each unit of two counts, combined.
    pub(crate) fn with(&self, other: &Count, f: impl Fn(f64, f64) -> f64) -> Count {
        Count {
            vector: f(self.vector, other.vector),
            quarter_rate: f(self.quarter_rate, other.quarter_rate),
            scalar: f(self.scalar, other.scalar),
            branch: f(self.branch, other.branch),
            workgroup_memory: f(self.workgroup_memory, other.workgroup_memory),
            storage: f(self.storage, other.storage),
            constant: f(self.constant, other.constant),
            barrier: f(self.barrier, other.barrier),
        }
    }

    fn add(&mut self, mnemonic: &str) {
        let starts = |words: &[&str]| words.iter().any(|word| mnemonic.starts_with(word));
        let unit = if starts(&["s_waitcnt", "s_nop", "s_clause", "s_inst_prefetch", "s_delay_alu"]) {
            return;
        } else if starts(&[
            "v_rcp",
            "v_sqrt",
            "v_rsq",
            "v_exp_f32",
            "v_log_f32",
            "v_sin",
            "v_cos",
            "v_mul_lo_u32",
            "v_mul_hi",
            "v_mad_u64",
            "v_mad_i64",
        ]) {
            &mut self.quarter_rate
        } else if starts(&["v_"]) {
            &mut self.vector
        } else if starts(&["ds_"]) {
            &mut self.workgroup_memory
        } else if starts(&["buffer_", "global_", "flat_"]) {
            &mut self.storage
        } else if starts(&["s_load", "s_buffer"]) {
            &mut self.constant
        } else if starts(&["s_barrier"]) {
            &mut self.barrier
        } else if starts(&["s_cbranch", "s_branch"]) {
            &mut self.branch
        } else {
            &mut self.scalar
        };
        *unit += 1.0;
    }
}

/// Blocks of instructions without a jump into their middle, in the order of the code.
struct Blocks<'a> {
    blocks: Vec<Vec<&'a str>>,
    names: HashMap<&'a str, usize>,
}

impl<'a> Blocks<'a> {
    fn new(assembly: &'a str) -> Blocks<'a> {
        let mut made = Blocks { blocks: Vec::new(), names: HashMap::new() };
        for line in assembly.lines() {
            let line = line.split(';').next().unwrap_or("").trim();
            if let Some(name) = line.strip_suffix(':') {
                made.names.insert(name, made.blocks.len());
                made.blocks.push(Vec::new());
            } else if let (false, Some(block)) = (line.is_empty(), made.blocks.last_mut()) {
                block.push(line);
            }
        }
        made
    }

    fn count(&self, blocks: std::ops::RangeInclusive<usize>) -> Count {
        let mut count = Count::default();
        let lines = self.blocks[blocks].iter().flatten();
        lines.for_each(|line| count.add(line.split_whitespace().next().unwrap_or("")));
        count
    }

    /// Blocks of each loop: what a jump back leads over.
    fn loops(&self) -> Vec<std::ops::RangeInclusive<usize>> {
        let mut loops = Vec::new();
        for (at, block) in self.blocks.iter().enumerate() {
            for line in block {
                let mut words = line.split_whitespace();
                let jumps =
                    words.next().is_some_and(|word| word.starts_with("s_cbranch") || word == "s_branch");
                let target = words.next().and_then(|name| self.names.get(name));
                if let (true, Some(&target)) = (jumps, target)
                    && target <= at
                {
                    loops.push(target..=at);
                }
            }
        }
        loops
    }
}

/// All instructions; those of a loop once.
pub(crate) fn all(assembly: &str) -> Count {
    let blocks = Blocks::new(assembly);
    if blocks.blocks.is_empty() { Count::default() } else { blocks.count(0..=blocks.blocks.len() - 1) }
}

/// The smallest loop that waits for the workgroup and reads storage: one layer of a chain. Loops inside are counted once.
pub(crate) fn layer(assembly: &str) -> Option<Count> {
    let blocks = Blocks::new(assembly);
    let is_layer = |count: &Count| count.barrier > 0.0 && count.storage > 0.0;
    let loops = blocks.loops().into_iter().map(|of| (of.end() - of.start(), blocks.count(of)));
    loops.filter(|(_, count)| is_layer(count)).min_by_key(|(size, _)| *size).map(|(_, count)| count)
}
