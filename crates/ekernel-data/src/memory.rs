//! Says before a large read that it does not fit, instead of being killed for it.

use ekernel_system::memory::{Available, available};
use ndarray::{Array, Dimension, ShapeBuilder};

use crate::error::DataError;
use crate::place::Place;

/// Below this the system is not asked: a machine without so much has stopped before.
const SMALL: u128 = 1 << 20;

/// Checks that `bytes` fit into the memory that this process may still take, where the system says
/// how much that is.
pub(crate) fn ensure_fits(place: &Place, bytes: u128) -> Result<(), DataError> {
    if bytes <= SMALL { Ok(()) } else { ensure_within(place, bytes, available()) }
}

fn ensure_within(place: &Place, bytes: u128, available: Option<Available>) -> Result<(), DataError> {
    let needed = u64::try_from(bytes).unwrap_or(u64::MAX);
    match available {
        Some(Available { bytes: available, limit }) if bytes > u128::from(available) => {
            Err(DataError::TooLarge { place: place.clone(), needed, available, limit })
        }
        // No allocator gives more than half of what can be addressed.
        _ if bytes > isize::MAX as u128 => Err(DataError::Allocation { place: place.clone(), needed }),
        _ => Ok(()),
    }
}

/// An empty vector with room for `count` elements.
///
/// # Errors
/// [`DataError::Allocation`] where the allocator has no room.
pub(crate) fn vector<T>(place: &Place, count: usize) -> Result<Vec<T>, DataError> {
    let mut values = Vec::new();
    values.try_reserve_exact(count).map_err(|_| {
        let needed = (count as u64).saturating_mul(size_of::<T>() as u64);
        DataError::Allocation { place: place.clone(), needed }
    })?;
    Ok(values)
}

/// Zeros of a shape whose elements [`ensure_fits`] has counted.
///
/// # Errors
/// [`DataError::Allocation`] where the allocator has no room.
pub(crate) fn zeros<D, S>(place: &Place, shape: S) -> Result<Array<f64, D>, DataError>
where
    D: Dimension,
    S: ShapeBuilder<Dim = D>,
{
    let shape = shape.into_shape_with_order();
    let mut values = vector(place, shape.size())?;
    values.resize(shape.size(), 0.0);
    Ok(Array::from_shape_vec(shape, values).expect("there are as many zeros as the shape has elements"))
}

/// `values` in another form, as [`Array::mapv`] but without aborting where the allocator has no
/// room.
///
/// # Errors
/// [`DataError::Allocation`] where the allocator has no room.
pub(crate) fn map<T: Copy, U, D: Dimension>(
    place: &Place,
    values: &Array<T, D>,
    form: impl FnMut(T) -> U,
) -> Result<Array<U, D>, DataError> {
    let mut mapped = vector(place, values.len())?;
    mapped.extend(values.iter().copied().map(form));
    Ok(Array::from_shape_vec(values.raw_dim(), mapped).expect("there is one for each element"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_much_is_missing_and_what_limits_it() {
        use ekernel_system::memory::Limit;
        let place = Place::entry("big.npz", "x");
        let available = |bytes, limit| Some(Available { bytes, limit });
        assert!(ensure_within(&place, 100, available(100, Limit::Machine)).is_ok());
        assert!(ensure_within(&place, 100, None).is_ok());
        for (limit, words) in [
            (Limit::Machine, "free on this machine"),
            (Limit::ControlGroup, "left by the control group (container or batch job) of this process"),
        ] {
            let error = ensure_within(&place, 3 << 30, available(1 << 29, limit)).unwrap_err();
            let due = format!(
                "big.npz:x would take 3.0 GiB in memory as float64, and 512.0 MiB are {words}; read fewer or smaller samples"
            );
            assert_eq!(error.to_string(), due);
        }
    }

    #[test]
    fn what_the_allocator_refuses_is_an_error() {
        let place = Place::entry("big.npz", "x");
        let error = ensure_within(&place, u128::MAX, None).unwrap_err();
        assert!(matches!(error, DataError::Allocation { needed: u64::MAX, .. }), "{error}");
        // More than any machine can address.
        let error = vector::<f64>(&place, 1 << 59).unwrap_err();
        assert_eq!(
            error.to_string(),
            "big.npz:x takes 4.0 EiB in memory, which the system refuses to give; read fewer or smaller samples"
        );
        assert_eq!(zeros(&place, (2, 3)).unwrap(), ndarray::Array2::zeros((2, 3)));
    }
}
