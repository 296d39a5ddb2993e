//! One suite of tests for every backend: published kernels, awkward samples, random networks, plans broken on purpose, bit
//! identity, kernels that do not exist, cancelling.
//!
//! A further backend needs one line, [`conformance!`], and a [`Subject`] that says how it is made and how exact it is:
//!
//! ```
//! use ekernel_conformance::{Subject, Tolerances, conformance};
//! use ekernel_cpu::{CpuBackend, CpuOptions, Precision};
//!
//! fn cpu_f64() -> Option<Subject> {
//!     Some(Subject::new("cpu f64", Tolerances::DOUBLE, |plan| {
//!         let options = CpuOptions { precision: Precision::F64, ..CpuOptions::default() };
//!         CpuBackend::from_plan(plan, options)
//!     }))
//! }
//!
//! conformance!(cpu_f64);
//! # fn main() {}
//! ```
//!
//! A backend is trusted by a number only. Two that both refuse are not in agreement: such cases are counted apart, and every
//! test names the fewest cases that must be computed. Where one alone refuses, the test fails and says which. Whatever is known
//! to be off is a typed [`Expectation`], and turns the test red once it is mended.

mod broken;
mod case;
mod cases;
mod compare;
mod draws;
mod entries;
mod expectation;
mod falsifiers;
mod falsify;
mod identity;
mod macros;
pub mod planes;
mod report;
pub mod spheres;
mod subject;
mod tally;
mod trusted;
mod work;

pub use case::Case;
pub use cases::awkward::noise;
pub use compare::{Verdict, judge};
pub use entries::{error, kernel_error, kernels};
pub use expectation::{Expectation, Named, Reason, named};
pub use subject::{Make, Subject, Tolerances};

use draws::Draw;
use tally::Tally;
