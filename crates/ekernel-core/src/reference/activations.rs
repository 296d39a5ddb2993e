//! Pointwise nonlinearities.

use super::entry::{Default, Key};

/// Word, formula and keys.
pub(super) const ACTIVATIONS: &[(&str, &str, &[Key])] = &[
    ("relu", "max(x, 0).", &[]),
    ("leaky_relu", "x for x > 0, alpha·x for x < 0.", &[key("alpha", "0.01", "slope on the negative side")]),
    ("abs", "|x|.", &[]),
    ("erf", "a·erf(bx) + c, a sigmoid; erf with b = 0.8862 is close to tanh.", &[A, B, C]),
    ("gelu", "x·Φ(x), Φ the normal distribution function.", &[]),
    ("sin", "a·sin(bx + c).", &[A, B, C]),
    ("cos", "a·cos(bx + c).", &[A, B, C]),
    (
        "rbf",
        "√2·sin(√(2·gamma)·x + π/4), whose dual is the Gaussian kernel exp(-gamma·E(u - u')²).",
        &[key("gamma", "1.0", "inverse squared length scale, above 0")],
    ),
    ("exp", "a·exp(bx).", &[A, B]),
    (
        "gaussian",
        "a·exp(bx²); with b > 0 the kernel exists for small variances only.",
        &[A, key("b", "-1.0", "rate; negative for a bump")],
    ),
    ("sign", "The sign of x; its NTK is 0 times that of its input.", &[]),
];

const A: Key = key("a", "1.0", "amplitude");
const B: Key = key("b", "1.0", "factor of x");
const C: Key = key("c", "0.0", "offset; of sin and cos the phase");

const fn key(name: &'static str, default: &'static str, about: &'static str) -> Key {
    Key { name, default: Default::Is(default), about }
}
