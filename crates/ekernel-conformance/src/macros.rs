/// Makes the tests of a backend, from the function of that name that gives its [`Subject`](crate::Subject) or `None` where it is to be
/// skipped: a module of that name, with a module of tests on planes and one on spheres; or with one of them alone.
///
/// ```text
/// conformance!(cpu_f64);
/// conformance!(cpu_f32_op_by_op: planes);
/// ```
#[macro_export]
macro_rules! conformance {
    ($name:ident) => {
        mod $name {
            $crate::conformance!(@planes $name);
            $crate::conformance!(@spheres $name);
        }
    };
    ($name:ident: planes) => {
        mod $name {
            $crate::conformance!(@planes $name);
        }
    };
    ($name:ident: spheres) => {
        mod $name {
            $crate::conformance!(@spheres $name);
        }
    };
    (@planes $name:ident) => {
        mod planes {
            use super::super::$name as subject;

            $crate::conformance!(@tests planes:
                oracles
                awkward_images_under_all_fixtures
                every_activation
                every_size
                long_sums
                exactly_opposite_or_parallel_values
                faint_pixels
                windows_around_the_border
                steep_activations
                heads_of_one_value
                nearly_equal_images
                parallel_values_are_exact
                random_networks
                random_networks_on_awkward_samples
                random_networks_with_local_pools
                fresh_random_networks
                undefined_kernels_are_errors
                the_nngp_alone
                tiles_do_not_show
                variants_agree
                threads_and_buffers_do_not_show
                other_samples_do_not_show
                cancelled_work_does_not_begin
                cancelled_preparation_ends
                cancelled_tiles_end
                falsified_by_dropped_defects
            );
            $crate::conformance!(@falsified planes:
                by_wrong_weights WRONG_WEIGHTS
                by_a_dropped_part_of_the_ntk DROPPED_NTK
                by_a_zeroed_ntk ZEROED_NTK
                by_a_dropped_tap DROPPED_TAP
                by_a_dropped_plane DROPPED_PLANE
                by_wrong_strides WRONG_STRIDES
                by_another_activation OTHER_ACTIVATION
                by_a_missing_rotation MISSING_ROTATION
                by_a_flipped_rotation FLIPPED_ROTATION
                by_swapped_slots SWAPPED_SLOTS
                by_ignored_sameness IGNORED_SAMENESS
            );
        }
    };
    (@spheres $name:ident) => {
        mod spheres {
            use super::super::$name as subject;

            $crate::conformance!(@tests spheres:
                oracles
                awkward_signals_under_all_networks
                random_networks
                random_networks_of_constants
                fresh_random_networks
                atoms_of_molecules
                rotated_copies
                values_that_float32_cannot_hold
                undefined_kernels_are_errors
                the_nngp_alone
                tiles_do_not_show
                variants_agree
                threads_and_buffers_do_not_show
                other_samples_do_not_show
                cancelled_work_does_not_begin
                cancelled_tiles_end
            );
            $crate::conformance!(@falsified spheres:
                by_wrong_weights WRONG_WEIGHTS
                by_a_dropped_part_of_the_ntk DROPPED_NTK
                by_a_zeroed_ntk ZEROED_NTK
                by_a_dropped_degree DROPPED_DEGREE
                by_a_dropped_truncated_degree DROPPED_TRUNCATED_DEGREE
                by_a_coarse_grid COARSE_GRID
                by_another_activation OTHER_ACTIVATION
                by_swapped_slots SWAPPED_SLOTS
                by_ignored_sameness IGNORED_SAMENESS
            );
        }
    };
    (@tests $suite:ident: $($test:ident)*) => {
        $(
            #[test]
            fn $test() {
                if let Some(subject) = subject() {
                    $crate::$suite::$test(&subject);
                }
            }
        )*
    };
    (@falsified $suite:ident: $($test:ident $falsifier:ident)*) => {
        mod falsified {
            use super::subject;

            $(
                #[test]
                fn $test() {
                    if let Some(subject) = subject() {
                        $crate::$suite::falsified(&subject, &$crate::$suite::falsifiers::$falsifier);
                    }
                }
            )*
        }
    };
}
