//! Properties of QM9.

/// QM9's properties in the order of its .xyz files, and the columns of qm9pack's CSV files that hold them.
pub(crate) const QM9_PROPERTIES: [(&str, &str); 15] = [
    ("A", "RotA_GHz"),
    ("B", "RotB_GHz"),
    ("C", "RotC_GHz"),
    ("mu", "Dipole_debye"),
    ("alpha", "Polarizability_bohr3"),
    ("homo", "HOMO_au"),
    ("lumo", "LUMO_au"),
    ("gap", "HOMO_LUMO_gap_au"),
    ("r2", "R2_bohr2"),
    ("zpve", "ZPVE_au"),
    ("U0", "InternalEnergy_0K_au"),
    ("U", "InternalEnergy_298K_au"),
    ("H", "Enthalphy_298K_au"),
    ("G", "GibbsFreeEnergy_298K_au"),
    ("Cv", "Heatcapacity_Cv_cal_mol_K"),
];
