//! The WGSL of ekernel: stages of exact infinite-width kernels.
//!
//! Plain `.wgsl` files joined by concatenation, which works because declarations in WGSL may stand in any order. Every
//! stage's entry point is `main`, and its label is the name of its file: [`Stage::BoxMean`] is `layered/box_mean.wgsl` and
//! runs as `ekernel.box_mean`.

mod dual;
mod fused;
mod layered;
mod rotations;

pub use dual::Dual;
pub use fused::Fused;
pub use layered::Stage;
pub use rotations::{PointSink, PointStep, Rotation, RotationPoint};

/// The functions that limit the accuracy of all stages, without an entry point.
///
/// Tests measure them on a device.
pub fn functions() -> String {
    [include_str!("arc_cosine.wgsl"), include_str!("math.wgsl"), include_str!("fused/exact_product.wgsl")]
        .concat()
}

/// Multiply-adds of one invocation of [`peak`].
pub const PEAK_OPERATIONS: u64 = 64 * 256;

/// The module that measures how many multiply-adds a device issues.
///
/// Its entry point is `main`; it has workgroups of 256 and one storage buffer of any size.
pub fn peak() -> &'static str {
    include_str!("peak.wgsl")
}

/// The module that shows whether an adapter computes: 64 elements of one storage buffer.
pub fn self_test() -> &'static str {
    include_str!("self_test.wgsl")
}

/// Label and source of every module, of fused ones at some sizes.
pub fn all() -> Vec<(String, String)> {
    let layered = Stage::all().into_iter().map(|stage| (stage.label(), stage.source()));
    let fused = Fused::samples().into_iter().map(|stage| (stage.label(), stage.source()));
    let rotations = Rotation::ALL.into_iter().map(|stage| (stage.label().to_owned(), stage.source()));
    let points = RotationPoint::samples().into_iter().map(|point| (point.label(), point.source()));
    let rotations = rotations.chain(points);
    let others = [("ekernel.peak", peak()), ("ekernel.self_test", self_test())];
    let others = others.map(|(label, source)| (label.to_owned(), source.to_owned()));
    layered.chain(fused).chain(rotations).chain(others).collect()
}
