//! What the numbers of atoms alone say about a property of molecules: taken off before training, put back on predictions.

use ekernel_data::{Molecules, molecules::element_symbol};
use ekernel_predict::{Linear, PredictError};
use ndarray::{Array1, Array2, Axis};

use crate::error::ExperimentError;

/// What is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum References {
    /// Least squares of the property on the numbers of atoms of each element, on each draw's training molecules alone;
    /// after the energies of isolated atoms, where the file holds those of the property.
    Fit,
    /// The energies of isolated atoms that the file holds (atomref_Z, atomref_U0).
    Atoms,
    /// Nothing.
    None,
}

/// The property that `atomref_U0` are the energies of.
const REFERENCED: &str = "U0";

/// Numbers of atoms of both sets, and the energy of each atom.
#[derive(Clone, Debug)]
pub struct Composition {
    /// Shape (n, elements).
    train: Array2<f64>,
    /// Shape (n_test, elements).
    test: Array2<f64>,
    /// Energies of isolated atoms, in the order of the elements.
    isolated: Option<Array1<f64>>,
    references: References,
}

impl Composition {
    /// Counts the atoms of both sets; `name` is what the training data are called in errors.
    ///
    /// # Errors
    /// [`ExperimentError::NoReferences`] or [`NoReference`](ExperimentError::NoReference) where energies of isolated
    /// atoms are asked for that `train` does not hold.
    pub fn new(
        references: References,
        (train, name): (&Molecules, &str),
        test: &Molecules,
    ) -> Result<Composition, ExperimentError> {
        let mut elements = [train.elements(), test.elements()].concat();
        elements.sort_unstable();
        elements.dedup();
        let property = train.property.as_ref().map_or("", |property| property.name.as_str());
        let known = train.references.as_ref().filter(|_| property == REFERENCED);
        let isolated = match (references, known) {
            (References::None, _) | (References::Fit, None) => None,
            (References::Atoms, None) => {
                return Err(ExperimentError::NoReferences {
                    data: name.to_owned(),
                    property: property.to_owned(),
                });
            }
            (_, Some(known)) => {
                let energy = |&element: &u8| {
                    known.energy(element).ok_or_else(|| {
                        let all =
                            [train, test].into_iter().flat_map(|set| set.names.iter().zip(&set.charges));
                        let mut holding = all.filter(|(_, charges)| charges.contains(&element));
                        let (molecule, _) =
                            holding.next().expect("the elements are those of the molecules of both sets");
                        ExperimentError::NoReference {
                            data: name.to_owned(),
                            element,
                            symbol: element_symbol(element).unwrap_or("?"),
                            molecule: molecule.clone(),
                        }
                    })
                };
                Some(elements.iter().map(energy).collect::<Result<Array1<f64>, _>>()?)
            }
        };
        Ok(Composition { train: train.counts(&elements), test: test.counts(&elements), isolated, references })
    }

    /// Keeps the molecules of the test set at `indices`.
    ///
    /// # Panics
    /// If an index is not below the number of test molecules.
    pub fn keep_test(&mut self, indices: &[usize]) {
        self.test = self.test.select(Axis(0), indices);
    }

    /// Keeps the molecules of the training set at `indices`.
    ///
    /// # Panics
    /// If an index is not below the number of training molecules.
    pub fn keep_train(&mut self, indices: &[usize]) {
        self.train = self.train.select(Axis(0), indices);
    }

    /// What to take off the targets (n, outputs) of the training molecules `drawn`, and to put on predictions of the test
    /// set: shapes (n, outputs) and (n_test, outputs).
    ///
    /// # Errors
    /// Those of [`Linear::fit`].
    ///
    /// # Panics
    /// If an index is not below the number of training molecules.
    pub fn offsets(&self, drawn: &[usize], targets: &Array2<f64>) -> Result<[Array2<f64>; 2], PredictError> {
        let counts = self.train.select(Axis(0), drawn);
        let of_atoms = |counts: &Array2<f64>| {
            let energies = match &self.isolated {
                Some(isolated) => counts.dot(isolated),
                None => Array1::zeros(counts.nrows()),
            };
            let outputs = targets.ncols();
            Array2::from_shape_fn((counts.nrows(), outputs), |(molecule, _)| energies[molecule])
        };
        let [train, test] = [of_atoms(&counts), of_atoms(&self.test)];
        if self.references != References::Fit {
            return Ok([train, test]);
        }
        let fit = Linear::fit(counts.view(), (targets - &train).view())?;
        Ok([train + fit.predict(counts.view())?, test + fit.predict(self.test.view())?])
    }

    /// In words, for reports.
    pub fn describe(&self) -> &'static str {
        match (self.references, &self.isolated) {
            (References::None, _) => "none",
            (References::Atoms, _) => "energies of isolated atoms",
            (References::Fit, None) => "least squares on numbers of atoms",
            (References::Fit, Some(_)) => {
                "energies of isolated atoms, then least squares on numbers of atoms"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ekernel_data::molecules::{AtomReferences, Property};
    use ndarray::array;

    use super::*;

    /// Molecules of hydrogen and oxygen with an energy of -3 for each H, -70 for each O, and 0.5 for being odd.
    fn molecules(charges: &[&[u8]], property: &str) -> Molecules {
        let energy = |z: &&[u8]| {
            z.iter().map(|&z| if z == 1 { -3.0 } else { -70.0 }).sum::<f64>() + 0.5 * (z.len() % 2) as f64
        };
        Molecules {
            names: charges.iter().map(|z| format!("{z:?}")).collect(),
            positions: charges.iter().map(|z| Array2::zeros((z.len(), 3))).collect(),
            charges: charges.iter().map(|z| z.to_vec()).collect(),
            property: Some(Property {
                name: property.to_owned(),
                values: charges.iter().map(energy).collect(),
            }),
            references: Some(AtomReferences::new([(1, -2.0), (8, -69.0)])),
        }
    }

    fn values(molecules: &Molecules) -> Array2<f64> {
        Array1::from(molecules.property.as_ref().unwrap().values.clone()).insert_axis(Axis(1))
    }

    #[test]
    fn atoms_are_taken_off_and_a_fit_sees_the_draw_alone() {
        let train = molecules(&[&[1, 1], &[8, 1, 1], &[8, 8], &[8, 8, 1, 1]], "U0");
        let test = molecules(&[&[8, 8, 8]], "U0");
        let y = values(&train);
        let of = |references| Composition::new(references, (&train, "t"), &test).unwrap();
        let all = [0, 1, 2, 3];
        let [isolated, on_test] = of(References::Atoms).offsets(&all, &y).unwrap();
        assert_eq!(isolated, array![[-4.0], [-73.0], [-138.0], [-142.0]]);
        assert_eq!(on_test, array![[-207.0]]);
        assert_eq!(of(References::None).offsets(&all, &y).unwrap()[0], Array2::<f64>::zeros((4, 1)));
        // Even molecules alone: their energies are linear in the numbers of atoms, whatever the odd one says.
        let even = [0, 2, 3];
        let [fitted, on_test] = of(References::Fit).offsets(&even, &y.select(Axis(0), &even)).unwrap();
        assert!((fitted - y.select(Axis(0), &even)).iter().all(|e| e.abs() < 1e-9));
        assert!((on_test[[0, 0]] + 210.0).abs() < 1e-8, "{on_test}");
    }

    #[test]
    fn isolated_atoms_are_those_of_one_property() {
        let test = molecules(&[&[8, 8, 8]], "U0");
        let gap = molecules(&[&[1, 1], &[8, 1]], "gap");
        let refused =
            Composition::new(References::Atoms, (&gap, "g.npz:all"), &test).err().unwrap().to_string();
        assert!(refused.contains("g.npz:all") && refused.contains("'gap'"), "{refused}");
        let fit = Composition::new(References::Fit, (&gap, "g"), &test).unwrap();
        assert_eq!(fit.describe(), "least squares on numbers of atoms");
        let carbon = molecules(&[&[6, 1]], "U0");
        let refused = Composition::new(References::Fit, (&carbon, "c"), &test).err().unwrap();
        assert!(refused.to_string().contains("[6, 1]"), "{refused}");
    }
}
