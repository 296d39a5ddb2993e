//! The machine code of every chain for an RDNA2 GPU against the committed table: none may grow by more than 5 %.
//!
//! Without the driver the test fails and says what to install; `EKERNEL_GPU=skip` leaves it out aloud.

#[path = "../examples/machine_code/count.rs"]
mod count;
#[allow(dead_code, reason = "the example prints what this test does not read")]
#[path = "../examples/machine_code/measure.rs"]
mod measure;
#[path = "../examples/machine_code/radv.rs"]
mod radv;

use std::{collections::HashMap, process::Command};

const FAMILY: &str = "RADV_FORCE_FAMILY";
const GPU: &str = "navi21";

#[test]
fn chains_do_not_grow() {
    if ekernel_testnets::gpu::adapter().is_none() {
        return;
    }
    // The driver reads the variable when it is opened, so the test runs in a process that is started with it.
    if std::env::var(FAMILY).as_deref() != Ok(GPU) {
        let program = std::env::current_exe().expect("this program");
        let inner = Command::new(program)
            .args(["--exact", "chains_do_not_grow", "--nocapture"])
            .env(FAMILY, GPU)
            .status()
            .expect("started");
        assert!(inner.success(), "see above");
        return;
    }
    let radv = radv::Radv::open().unwrap_or_else(|problem| panic!("{problem} (or set EKERNEL_GPU=skip)"));
    let rows = measure::all(&radv, GPU).unwrap_or_else(|problem| panic!("{problem}"));
    let chains: Vec<_> = rows.iter().filter(|row| !row.network.is_empty()).collect();
    let mut table = include_str!("machine_code.txt").lines();
    let made_by = table.next().expect("a heading");
    let known: HashMap<String, f64> = table
        .map(|line| {
            let (slots, chain) = line.split_once('|').expect("slots|kernels|network");
            (chain.to_owned(), slots.parse().expect("slots"))
        })
        .collect();
    assert_eq!(known.len(), chains.len(), "a chain is not in the table, or one of the table is gone");
    let same_compiler = made_by.starts_with(&format!("# {},", radv.version));
    let mut grown = Vec::new();
    for row in &chains {
        let chain = format!("{}|{}", row.kernels, row.network);
        let before = known.get(&chain).unwrap_or_else(|| panic!("{chain} is not in machine_code.txt"));
        let slots = row.count.slots();
        println!("{chain}: {slots:.1} slots, {before:.1} in the table");
        assert!(slots > 20.0 && row.spills == 0, "{row:?}");
        if same_compiler && slots > 1.05 * before {
            grown.push(format!("{chain}: {before:.1} to {slots:.1}"));
        }
    }
    println!("{} modules measured, {} of them chains, by {}", rows.len(), chains.len(), radv.version);
    if !same_compiler {
        println!("NOT COMPARED: the table is of another compiler ({made_by})");
    }
    assert!(grown.is_empty(), "slots per position grew by more than 5 %: {grown:?}");
}
