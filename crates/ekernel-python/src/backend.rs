//! From the words of a call to a backend.

use ekernel_core::{Backend, BackendError, KernelSet, Network, Plan, Quadrature};
use ekernel_cpu::{CpuBackend, CpuOptions, Precision};
use ekernel_reference::{ReferenceBackend, RotationMode};
use ekernel_wgpu::{AdapterChoice, Device, WgpuBackend, WgpuOptions};
use pyo3::{FromPyObject, PyErr, Python, exceptions::PyRuntimeWarning};

use crate::failure::Failure;

/// The arguments of a call that say what computes.
#[derive(Clone, Debug, FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct How {
    backend: Option<String>,
    adapter: Option<Adapter>,
    precision: Option<String>,
    quadrature: Option<Nodes>,
    pub(crate) threads: Option<usize>,
}

/// The number of an adapter, or a part of its name.
#[derive(Clone, Debug, FromPyObject)]
enum Adapter {
    Index(usize),
    Name(String),
}

/// The rotations of a network on the sphere: a number of nodes, or a word.
#[derive(Clone, Debug, FromPyObject)]
pub(crate) enum Nodes {
    Count(usize),
    Word(String),
}

/// What computes, and a note to the user about the choice.
pub(crate) struct Chosen {
    pub(crate) backend: Box<dyn Backend>,
    /// Whether its kernels have no more than the digits of float32.
    pub(crate) is_single: bool,
    note: Option<String>,
}

impl Chosen {
    fn quiet(backend: impl Backend + 'static, is_single: bool) -> Chosen {
        Chosen { backend: Box::new(backend), is_single, note: None }
    }

    /// Warns of what the choice could not do.
    pub(crate) fn warn(note: Option<String>, py: Python<'_>) -> Result<(), PyErr> {
        let Some(note) = note else { return Ok(()) };
        let note = std::ffi::CString::new(note.replace('\0', " ")).expect("no byte of it is 0");
        PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), &note, 2)
    }

    /// The note, which is then no longer there.
    pub(crate) fn take_note(&mut self) -> Option<String> {
        self.note.take()
    }
}

/// Takes the backend that was asked for. Without a word it is a hardware GPU where there is one, the network is planar and
/// nothing asks for the CPU (f64, a number of threads), else the CPU. An adapter asks for the GPU.
pub(crate) fn choose(how: &How, network: &Network, kinds: KernelSet) -> Result<Chosen, Failure> {
    let precision = match how.precision.as_deref() {
        None => None,
        Some("f32" | "float32") => Some(Precision::F32),
        Some("f64" | "float64") => Some(Precision::F64),
        Some(other) => return Err(bad("precision", other, "\"f32\" or \"f64\"")),
    };
    let plan = Plan::with_quadrature(network, kinds, quadrature(network, how.quadrature.clone())?)?;
    let threads = match how.threads {
        Some(n) if !(1..=MOST_THREADS).contains(&n) => {
            return Err(bad(
                "threads",
                n,
                &format!("a number from 1 to {MOST_THREADS}, or None for one per core"),
            ));
        }
        threads => threads.unwrap_or(0),
    };
    let cpu = |plan: Plan| {
        let options =
            CpuOptions { precision: precision.unwrap_or_default(), threads, ..CpuOptions::default() };
        let is_single = options.precision == Precision::F32;
        let backend = CpuBackend::from_plan(plan, options)?;
        Ok(Chosen::quiet(backend, is_single))
    };
    let gpu = |plan: Plan, device: Device| WgpuBackend::from_plan(plan, WgpuOptions::default(), device);
    match (how.backend.as_deref(), &how.adapter) {
        (Some("cpu" | "reference"), Some(_)) => Err(Failure::Value(
            "adapter: only the backend \"wgpu\" computes on an adapter; leave adapter out".to_owned(),
        )),
        (None | Some("auto"), None) => {
            let for_cpu = precision == Some(Precision::F64)
                || how.threads.is_some()
                || !WgpuBackend::is_worthwhile(&plan);
            let device = if for_cpu { None } else { Device::open_blocking(&AdapterChoice::Hardware).ok() };
            let Some(device) = device else { return cpu(plan) };
            match gpu(plan.clone(), device) {
                Ok(backend) => Ok(Chosen::quiet(backend, true)),
                Err(BackendError::Device { device, problem, .. }) => {
                    let note = Some(format!("{device}: {problem}; the CPU computes instead"));
                    Ok(Chosen { note, ..cpu(plan)? })
                }
                Err(error) => Err(error.into()),
            }
        }
        (Some("cpu"), None) => cpu(plan),
        (Some("reference"), None) => {
            if precision == Some(Precision::F32) {
                return Err(bad("precision", "f32", "\"f64\" or None: the reference computes in f64"));
            }
            let mode = RotationMode::Grid(quadrature(network, how.quadrature.clone())?);
            Ok(Chosen::quiet(ReferenceBackend::new(network, kinds).with_rotations(mode), false))
        }
        (None | Some("auto" | "wgpu"), adapter) => {
            if precision == Some(Precision::F64) {
                return Err(bad(
                    "precision",
                    "f64",
                    "\"f32\" or None: GPUs compute in f32; the CPU takes \"f64\"",
                ));
            }
            let choice = match adapter {
                None => AdapterChoice::Hardware,
                Some(Adapter::Index(index)) => AdapterChoice::Index(*index),
                Some(Adapter::Name(name)) => AdapterChoice::Name(name.clone()),
            };
            Ok(Chosen::quiet(gpu(plan, Device::open_blocking(&choice)?)?, true))
        }
        (Some(other), _) => {
            Err(bad("backend", other, "\"auto\", \"cpu\", \"wgpu\" or \"reference\", or None for \"auto\""))
        }
    }
}

const MOST_THREADS: usize = 1024;

/// The rotations that were asked for; networks on the plane have none.
pub(crate) fn quadrature(network: &Network, nodes: Option<Nodes>) -> Result<Quadrature, Failure> {
    let quadrature = match nodes {
        None => return Ok(Quadrature::Accurate),
        Some(Nodes::Word(word)) => match &*word {
            "accurate" => Quadrature::Accurate,
            "fast" => Quadrature::Fast,
            _ => return Err(bad("quadrature", word, NODES)),
        },
        Some(Nodes::Count(0)) => return Err(bad("quadrature", 0, NODES)),
        Some(Nodes::Count(count)) => Quadrature::Nodes(count),
    };
    if network.input().is_spherical() || quadrature == Quadrature::Accurate {
        return Ok(quadrature);
    }
    Err(Failure::Value("quadrature: only networks on the sphere have one; leave it out".to_owned()))
}

const NODES: &str = "\"accurate\", \"fast\" or a number of nodes of at least 1";

fn bad(argument: &str, found: impl std::fmt::Display, needs: &str) -> Failure {
    Failure::Value(format!("{argument} is {found}; give {needs}"))
}
