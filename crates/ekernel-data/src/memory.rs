//! Says before a large read that it does not fit, instead of being killed for it.

use crate::error::DataError;
use crate::place::Place;

/// Below this nobody is asked: a machine without so much has stopped before.
const SMALL: u128 = 64 << 20;

/// Checks that `bytes` fit into the memory that is free, where the system says how much that is (Linux).
pub(crate) fn ensure_fits(place: &Place, bytes: u128) -> Result<(), DataError> {
    if bytes <= SMALL {
        return Ok(());
    }
    ensure_within(place, bytes, available().unwrap_or(i64::MAX as u64))
}

fn ensure_within(place: &Place, bytes: u128, available: u64) -> Result<(), DataError> {
    if bytes <= u128::from(available) {
        return Ok(());
    }
    let needed = u64::try_from(bytes).unwrap_or(u64::MAX);
    Err(DataError::TooLarge { place: place.clone(), needed, available })
}

fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_much_is_missing() {
        let place = Place::entry("big.npz", "x");
        assert!(ensure_within(&place, 100, 100).is_ok());
        let error = ensure_within(&place, 3 << 30, 1 << 29).unwrap_err();
        assert_eq!(
            error.to_string(),
            "big.npz:x would take 3.0 GiB in memory as float64, and 512.0 MiB are free; read fewer or smaller samples"
        );
    }
}
