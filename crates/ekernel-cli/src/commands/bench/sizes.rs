//! Sizes of workgroups on the command line.

use ekernel_wgpu::Tuning;

/// Sizes named on the command line.
#[derive(Clone, Debug)]
pub(super) struct Sizes(pub(super) Vec<Tuning>);

/// `64x1,128x4`: invocations, and runs of planes in turn.
pub(super) fn sizes(text: &str) -> Result<Sizes, String> {
    let one = |word: &str| {
        let (invocations, in_turn) = word.split_once('x')?;
        let (invocations, in_turn) = (invocations.parse().ok()?, in_turn.parse().ok()?);
        ((1..=1024).contains(&invocations) && (1..=64).contains(&in_turn))
            .then_some(Tuning { invocations, in_turn })
    };
    let all: Option<Vec<Tuning>> = text.split(',').map(one).collect();
    all.map(Sizes).ok_or_else(|| {
        "give invocations (1 to 1024) and runs in turn (1 to 64), for example 64x1,128x4".to_owned()
    })
}
