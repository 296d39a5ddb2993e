//! All rows of a table in passes. A GPU that fails costs its row and no other.

use ekernel_core::{BackendError, Control};

use super::row::{On, Run, Setup};

/// The rows that are on their way, and those that GPUs gave up.
pub(super) struct Runs<'a> {
    pub(super) going: Vec<Run<'a>>,
    pub(super) without: Vec<Without<'a>>,
}

/// A row that its GPU refuses or fails at.
pub(super) struct Without<'a> {
    pub(super) setup: &'a Setup,
    pub(super) error: BackendError,
}

impl<'a> Runs<'a> {
    /// The first result of every row; `tell` hears before each which one comes.
    ///
    /// Errors: whatever is not of a GPU.
    pub(super) fn start(
        setups: &'a [Setup],
        control: &Control,
        mut tell: impl FnMut(usize, &Setup),
    ) -> anyhow::Result<Runs<'a>> {
        let mut runs = Runs { going: vec![], without: vec![] };
        for (at, setup) in setups.iter().enumerate() {
            tell(at, setup);
            control.check()?;
            match Run::start(setup, control) {
                Ok(run) => runs.going.push(run),
                Err(error) => runs.without.push(Without::of(setup, error)?),
            }
        }
        Ok(runs)
    }

    /// One of `passes` over all rows that are left, which take `seconds` each together.
    ///
    /// Errors: whatever is not of a GPU.
    pub(super) fn pass(
        &mut self,
        seconds: f64,
        passes: usize,
        control: &Control,
        mut tell: impl FnMut(usize, &Setup),
    ) -> anyhow::Result<()> {
        for (at, mut run) in std::mem::take(&mut self.going).into_iter().enumerate() {
            tell(at, run.setup);
            control.check()?;
            match run.pass(seconds, passes, control) {
                Ok(()) => self.going.push(run),
                Err(error) => self.without.push(Without::of(run.setup, error)?),
            }
        }
        Ok(())
    }
}

impl<'a> Without<'a> {
    /// Errors: `error` itself, unless it is of the GPU of this row.
    fn of(setup: &'a Setup, error: anyhow::Error) -> anyhow::Result<Without<'a>> {
        match (&setup.on, error.downcast()?) {
            (On::Gpu { .. }, error @ BackendError::Device { .. }) => Ok(Without { setup, error }),
            (_, error) => Err(error.into()),
        }
    }

    /// The device's own words.
    pub(super) fn reason(&self) -> String {
        match &self.error {
            BackendError::Device { problem, .. } => problem.clone(),
            error => error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use ekernel_cpu::simd::Isa;
    use ekernel_testnets::gpu::{adapter, opened};
    use ekernel_wgpu::{Device, StrategyChoice, WgpuOptions};

    use super::*;
    use crate::args::Precision;

    /// A GPU whose memory is gone after the first results has no row; the CPU has.
    #[test]
    fn a_gpu_that_fails_later_costs_its_row_only() {
        let Some(adapter) = adapter() else { return };
        let device = opened(Device::open_blocking(&adapter.parse().unwrap()));
        let options = WgpuOptions { strategy: StrategyChoice::Layered, ..WgpuOptions::default() };
        let gpu = On::Gpu { device: device.clone(), options };
        let cpu = On::Cpu { isa: Isa::best(), threads: 1, precision: Precision::F32 };
        let setups = [gpu, cpu].map(|on| Setup::new("cnn-valid", on).unwrap());
        let control = Control::new();
        let mut runs = Runs::start(&setups, &control, |_, _| {}).unwrap();
        assert_eq!((runs.going.len(), runs.without.len()), (2, 0));
        device.limit_memory(1);
        for _ in 0..2 {
            // Seconds enough for a pair to be measured in passes, which are short.
            runs.pass(100.0, 10_000, &control, |_, _| {}).unwrap();
            assert_eq!((runs.going.len(), runs.without.len()), (1, 1));
        }
        assert!(runs.going[0].best() > 0.0);
        let reason = runs.without[0].reason();
        assert!(reason.contains("memory"), "{reason}");
        control.cancel();
        assert!(runs.pass(100.0, 10_000, &control, |_, _| {}).is_err());
    }
}
