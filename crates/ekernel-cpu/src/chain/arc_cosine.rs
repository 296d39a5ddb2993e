//! The two functions a kinked activation needs, as polynomials in the relative defect d = 1 - cos θ ∈ [0, 1].
//!
//! θ/π = √d Q(d) and (sin θ - θ cos θ)/π = d^(3/2) R(d). Minimax fits by `scripts/dual_fits.py`, whose error
//! bounds, weighted by √d, are: f32 Q 2.8e-8, R 2.1e-8; f64 Q 1.8e-16, R 4.7e-17.

pub(crate) const ANGLE_F32: [f32; 7] = [
    0.450_158_57,
    0.037_499_014,
    0.008_582_555,
    0.001_892_476_2,
    0.002_203_227_2,
    -0.001_167_194_6,
    0.000_831_329_2,
];

pub(crate) const SECTOR_F32: [f32; 6] =
    [0.300_105_18, 0.015_012_188, 0.002_360_290_6, 0.000_717_758_2, -0.000_074_938_24, 0.000_189_391_77];

pub(crate) const ANGLE_F64: [f64; 17] = [
    0.450_158_158_078_558_97,
    0.037_513_179_838_710_116,
    0.008_440_465_532_834_43,
    0.002_512_041_389_005_179_6,
    0.000_854_822_553_667_756_9,
    0.000_314_417_825_056_045_9,
    0.000_124_103_677_309_957_77,
    0.000_039_246_369_957_252_296,
    0.000_054_861_535_344_933_485,
    -0.000_080_852_539_136_127_65,
    0.000_176_069_494_608_343_67,
    -0.000_245_355_774_479_027_35,
    0.000_260_563_470_065_168,
    -0.000_195_281_511_678_227_32,
    0.000_100_275_474_241_774_33,
    -0.000_031_412_258_143_618_34,
    0.000_004_696_844_076_917_544,
];

pub(crate) const SECTOR_F64: [f64; 16] = [
    0.300_105_438_719_033_83,
    0.015_005_271_936_214_86,
    0.002_411_561_547_376_993,
    0.000_558_232_180_004_192_5,
    0.000_155_412_117_454_143_15,
    0.000_048_459_820_682_363_73,
    0.000_016_026_750_903_195_494,
    0.000_006_812_405_659_801_845,
    -0.000_000_980_837_594_983_900_1,
    0.000_007_682_344_985_468_378,
    -0.000_010_738_333_989_979_944,
    0.000_013_056_226_372_616_573,
    -0.000_010_658_534_343_329_099,
    0.000_006_017_789_976_140_629,
    -0.000_002_045_057_332_780_731_4,
    0.000_000_337_108_388_064_522_4,
];

#[cfg(test)]
mod tests {
    use crate::simd::Real;

    fn horner<T: Real>(coefficients: &[T], d: f64) -> f64 {
        coefficients.iter().rev().fold(0.0, |value, c| value * d + c.wide())
    }

    /// Largest errors of Q and R, weighted by √d. Below d = 0.1 R is compared with its power series, where the
    /// closed form cancels.
    fn worst<T: Real>() -> (f64, f64) {
        let (mut angle, mut sector) = (0f64, 0f64);
        for i in 1..=100_000 {
            let d = f64::from(i) / 100_000.0;
            let w = d.sqrt();
            let theta = 2.0 * (d / 2.0).sqrt().asin();
            let exact = if d < 0.1 {
                // sin θ - θ cos θ = Σ_{k≥1} (-1)^(k+1) 2k/(2k+1)! θ^(2k+1)
                let (mut term, mut sum) = (theta, 0.0);
                for k in 1..10 {
                    let k = f64::from(k);
                    term *= -theta * theta / (2.0 * k * (2.0 * k + 1.0));
                    sum -= 2.0 * k * term;
                }
                sum
            } else {
                theta.sin() - theta * theta.cos()
            };
            let pi = std::f64::consts::PI;
            angle = angle.max((w * horner(T::ANGLE, d) - theta / pi).abs());
            sector = sector.max((w * horner(T::SECTOR, d) - exact / (pi * d)).abs());
        }
        (angle, sector)
    }

    #[test]
    fn fits_keep_their_bounds() {
        let (angle, sector) = worst::<f32>();
        assert!(angle < 4.5e-8, "{angle:e}");
        assert!(sector < 4e-8, "{sector:e}");
        let (angle, sector) = worst::<f64>();
        assert!(angle < 5e-16, "{angle:e}");
        assert!(sector < 7e-16, "{sector:e}");
    }
}
