//! The order of coefficients in a packed array: degree by degree, so that those with l < L are a prefix.

/// The number of coefficients f_lm below `bandlimit` L: L².
pub const fn sphere_len(bandlimit: usize) -> usize {
    bandlimit * bandlimit
}

/// The position of f_lm, |m| ≤ l: l² + l + m.
pub const fn sphere_index(l: usize, m: isize) -> usize {
    (l * l + l).wrapping_add_signed(m)
}

/// The number of coefficients F^l_mn below `bandlimit` L: Σ (2l+1)² = L(4L²-1)/3.
pub const fn rotation_len(bandlimit: usize) -> usize {
    match bandlimit {
        0 => 0,
        l => l * (4 * l * l - 1) / 3,
    }
}

/// The position of F^l_mn, |m|, |n| ≤ l: l(4l²-1)/3 + (l+m)(2l+1) + (l+n).
pub const fn rotation_index(l: usize, m: isize, n: isize) -> usize {
    rotation_len(l) + l.wrapping_add_signed(m) * (2 * l + 1) + l.wrapping_add_signed(n)
}

/// The orders -l..=l of one degree.
pub(crate) fn orders(l: usize) -> std::ops::RangeInclusive<isize> {
    -(l as isize)..=l as isize
}

/// (-1)^k.
pub(crate) fn parity(k: isize) -> f64 {
    if k % 2 == 0 { 1.0 } else { -1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_consecutive() {
        let mut next = 0;
        for l in 0..9 {
            assert_eq!(sphere_len(l), sphere_index(l, -(l as isize)));
            assert_eq!(rotation_len(l), next);
            for m in orders(l) {
                for n in orders(l) {
                    assert_eq!(rotation_index(l, m, n), next);
                    next += 1;
                }
            }
        }
    }
}
