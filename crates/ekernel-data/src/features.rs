//! Tables whose columns have names: two of them hold the same columns, in whatever order.

use ekernel_core::Samples;
use ndarray::Axis;

use crate::dataset::Dataset;
use crate::error::DataError;

impl Dataset {
    /// These samples with the columns in the order of those of `first`, where both sets name their columns.
    ///
    /// # Errors
    /// [`DataError::Columns`] for a column that one of both lacks.
    pub fn aligned_with(mut self, first: &Dataset) -> Result<Dataset, DataError> {
        let (Some(wanted), Some(found)) = (&first.features, &self.features) else { return Ok(self) };
        if wanted == found {
            return Ok(self);
        }
        let lacking =
            |names: &[String], others: &[String]| names.iter().find(|name| !others.contains(name)).cloned();
        if let Some(column) = lacking(wanted, found) {
            return Err(DataError::Columns { column, holds: "first", lacks: "second" });
        }
        if let Some(column) = lacking(found, wanted) {
            return Err(DataError::Columns { column, holds: "second", lacks: "first" });
        }
        let order: Vec<usize> =
            wanted.iter().filter_map(|name| found.iter().position(|other| other == name)).collect();
        if let Samples::Vectors(values) = &self.samples {
            self.samples = Samples::Vectors(values.select(Axis(1), &order));
        }
        self.features = Some(wanted.clone());
        Ok(self)
    }
}
