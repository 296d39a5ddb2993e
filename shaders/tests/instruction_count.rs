//! Counts what a stage on SO(3) executes per point, from its SPIR-V:
//! `cargo test -p ekernel-shaders --test instruction_count -- --nocapture`.
//!
//! Counted are arithmetic and accesses to workgroup and storage memory; moves, addresses and loops are the compiler's, and come
//! on top.

use std::collections::HashMap;

use ekernel_shaders::{Dual, PointSink, PointStep, Rotation, RotationPoint};
use naga::{
    ShaderStage,
    back::{self, PipelineConstants, pipeline_constants::process_overrides},
    valid::{Capabilities, ValidationFlags, Validator},
};

/// Instructions of one function by the unit that executes them.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    float: f64,
    integer: f64,
    /// Conversions between whole and real numbers.
    conversion: f64,
    /// Roots, quotients.
    special: f64,
    workgroup_load: f64,
    workgroup_store: f64,
    storage_load: f64,
}

impl Count {
    fn plus(self, other: Count, times: f64) -> Count {
        Count {
            float: self.float + times * other.float,
            integer: self.integer + times * other.integer,
            conversion: self.conversion + times * other.conversion,
            special: self.special + times * other.special,
            workgroup_load: self.workgroup_load + times * other.workgroup_load,
            workgroup_store: self.workgroup_store + times * other.workgroup_store,
            storage_load: self.storage_load + times * other.storage_load,
        }
    }

    fn issued(&self) -> f64 {
        self.float
            + self.integer
            + self.conversion
            + self.special
            + self.workgroup_load
            + self.workgroup_store
            + self.storage_load
    }
}

/// Per function, by name.
fn counts(source: &str) -> HashMap<String, Count> {
    let module = naga::front::wgsl::parse_str(source).expect("parsed");
    let info =
        Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(&module).expect("valid");
    let entry = Some((ShaderStage::Compute, "main"));
    let (module, info) =
        process_overrides(&module, &info, entry, &PipelineConstants::default()).expect("constants");
    let options = back::spv::Options { flags: back::spv::WriterFlags::DEBUG, ..Default::default() };
    let words = back::spv::write_vec(&module, &info, &options, None).expect("translated");
    let mut names: HashMap<u32, String> = HashMap::new();
    // Storage class of a pointer, components of a vector type, type of a value.
    let (mut classes, mut lanes, mut types): (HashMap<u32, u32>, HashMap<u32, f64>, HashMap<u32, u32>) =
        Default::default();
    let mut found: HashMap<String, Count> = HashMap::new();
    let (mut at, mut name) = (5, String::new());
    while at < words.len() {
        let (length, opcode) = ((words[at] >> 16) as usize, words[at] & 0xffff);
        let operands = &words[at + 1..at + length];
        at += length;
        let width = |ty: u32| lanes.get(&ty).copied().unwrap_or(1.0);
        match opcode {
            // OpName
            5 => {
                let bytes: Vec<u8> = operands[1..].iter().flat_map(|word| word.to_le_bytes()).collect();
                let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
                names.insert(operands[0], String::from_utf8_lossy(&bytes[..end]).into_owned());
            }
            // OpTypeVector
            23 => drop(lanes.insert(operands[0], f64::from(operands[2]))),
            // OpVariable
            59 => drop(classes.insert(operands[1], operands[2])),
            // OpFunction
            54 => name = names.get(&operands[1]).cloned().unwrap_or_default(),
            // OpAccessChain
            65 | 66 => {
                let class = classes.get(&operands[2]).copied().unwrap_or(7);
                classes.insert(operands[1], class);
            }
            // OpLoad
            61 => {
                types.insert(operands[1], operands[0]);
                let count = found.entry(name.clone()).or_default();
                match classes.get(&operands[2]) {
                    Some(4) => count.workgroup_load += 1.0,
                    // Two words are one access.
                    Some(12) => count.storage_load += 1.0,
                    _ => {}
                }
            }
            // OpStore
            62 if classes.get(&operands[0]) == Some(&4) => {
                found.entry(name.clone()).or_default().workgroup_store += 1.0;
            }
            // OpExtInst
            12 => {
                let count = found.entry(name.clone()).or_default();
                match operands[3] {
                    // Sqrt, InverseSqrt: a special function and a product.
                    31 | 32 => {
                        count.special += 1.0;
                        count.float += 1.0;
                    }
                    // SMin, SMax, SClamp, UMin, UClamp.
                    38 | 39 | 41 | 42 | 44 | 45 => count.integer += width(operands[0]),
                    _ => count.float += width(operands[0]),
                }
            }
            // Conversions.
            109..=112 => found.entry(name.clone()).or_default().conversion += width(operands[0]),
            // Whole numbers: sums, products, quotients, shifts, bits, comparisons.
            126 | 128 | 130 | 132 | 134 | 135 | 137..=139 | 170..=179 | 194..=200 => {
                found.entry(name.clone()).or_default().integer += width(operands[0]);
            }
            // Real quotients: a reciprocal and a product.
            136 => {
                let count = found.entry(name.clone()).or_default();
                count.special += 1.0;
                count.float += 1.0;
            }
            // Real numbers: sums, products, signs, comparisons.
            127 | 129 | 131 | 133 | 142 | 180..=191 => {
                found.entry(name.clone()).or_default().float += width(operands[0]);
            }
            // OpSelect
            169 => found.entry(name.clone()).or_default().float += width(operands[0]),
            _ => {}
        }
    }
    found
}

/// Two relus behind a lift at L = 6 and one channel, on the fast and the accurate grid.
#[test]
fn two_relus_on_rotations_per_pair() {
    let bandlimit = 6.0;
    let relu = |input| PointStep::Dual { input, dual: Dual::Kinked };
    let steps = vec![
        (0, PointStep::Lifted { field: 0, bandlimit: 6, means: [0, 286] }),
        (1, PointStep::Affine { input: 0 }),
        (2, relu(1)),
        (3, PointStep::Affine { input: 2 }),
        (4, relu(3)),
    ];
    let found = counts(&RotationPoint { steps, sink: PointSink::Mean, nearness: 0, odd: false }.source());
    let of =
        |name: &str| *found.get(name).unwrap_or_else(|| panic!("no function {name}: {:?}", found.keys()));
    let mut point = of("value").plus(of("lifted"), 1.0).plus(of("bound"), 3.0).plus(of("turn"), 1.0);
    // A dot product and four sums.
    point.float += 7.0 + 4.0;
    for (name, times) in [("affine", 2.0), ("dual_kinked", 2.0), ("behind", 2.0)] {
        point = point.plus(of(name), times);
    }
    point = point.plus(of("arc_cosine"), 2.0);
    point = point.plus(of("arc_cosine_angle"), 2.0).plus(of("arc_cosine_sector"), 2.0);
    // Four points share the parts of a line, two numbers from the first-level cache for each order.
    let line = 2.0 * bandlimit - 1.0;
    point.float += (line - 1.0) / 4.0;
    point.storage_load += (2.0 * line - 1.0) / 4.0;
    println!("per point: {point:?}, {:.0} issued", point.issued());
    let degree = |l: f64| (2.0 * l + 1.0) * (2.0 * l + 1.0);
    let coefficients: f64 = (0..6).map(|l| degree(f64::from(l))).sum();
    println!("nodes  points evaluated  multiply-adds around them  storage bytes");
    for nodes in [12.0, 24.0] {
        let circle = 2.0 * nodes;
        let evaluated = nodes * circle * 4.0 * (circle / 4.0 + 1.0);
        let around = coefficients + nodes * (2.0 * coefficients + circle * line * line);
        // Written and read once: coefficients, orders and lines; signals, and four words of results for each ring.
        let bytes = 4.0
            * (2.0 * (coefficients + 1.0) + 2.0 * nodes * line * (line + circle) + 2.0 * 57.0 + 4.0 * nodes);
        println!("{nodes:>5} {evaluated:>17} {around:>26} {bytes:>14}");
        assert!(around < point.float * evaluated && bytes < 8.0 * evaluated);
    }
    assert!((60.0..400.0).contains(&point.issued()), "{point:?}");
    for stage in Rotation::ALL {
        assert!(counts(&stage.source()).contains_key("main"), "{stage:?}");
    }
}
