//! Theorems as compiler passes: from a network to its plan.
//!
//! 1. *orbit*: a group-equivariant network is a plain one averaged over the orbit of the second input ([`orbit`]);
//! 2. *stages*: maximal runs of offset-preserving layers, cut where local pooling mixes offsets ([`stages`]);
//! 3. *rotations*: networks on SO(3) are orbits under U ∈ SO(3), a stage on k(U) ([`rotations`]);
//! 4. *demand*: which offsets of each stage are needed, and in which form values are carried ([`demand`]).
//!
//! [`heads`] puts these together. Every pass is a loop over the layers, linear in their number ([`order`]); what no machine
//! computes is refused before it is laid out ([`limits`]).

mod demand;
mod entry;
mod heads;
mod limits;
mod orbit;
mod order;
mod pointwise;
mod rotations;
mod shifts;
mod stages;
mod wraps;
