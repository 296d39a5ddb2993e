//! No transform allocates once its plan and its scratch space exist.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use ekernel_harmonic::{
    LaneBuffer, LaneTransform, RotationGrid, RotationTransform, SphereGrid, SphereTransform, rotation_len,
    sphere_len,
};
use ndarray::{Array2, Array3};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the contract is the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the contract is the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The allocations of `work` on this thread.
fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![1u8; 10]))), 1);
}

#[test]
fn sphere_transforms_do_not_allocate() {
    let plan = SphereTransform::<f64>::new(7, &SphereGrid::driscoll_healy(7).unwrap()).unwrap();
    let mut scratch = plan.scratch();
    let mut f = vec![Default::default(); sphere_len(7)];
    let (mut complex, mut real) = (Array2::default(plan.shape()), Array2::zeros(plan.shape()));
    let count = allocations(|| {
        plan.inverse(&f, &mut scratch, complex.view_mut()).unwrap();
        plan.forward(complex.view(), &mut scratch, &mut f).unwrap();
        plan.inverse_real(&f, &mut scratch, real.view_mut()).unwrap();
        plan.forward_real(real.view(), &mut scratch, &mut f).unwrap();
    });
    assert_eq!(count, 0);
}

#[test]
fn rotation_transforms_do_not_allocate() {
    let plan = RotationTransform::<f64>::new(5, &RotationGrid::gauss_legendre(7).unwrap()).unwrap();
    let mut scratch = plan.scratch();
    let mut f = vec![Default::default(); rotation_len(5)];
    let (mut complex, mut real) = (Array3::default(plan.shape()), Array3::zeros(plan.shape()));
    let count = allocations(|| {
        plan.inverse(&f, &mut scratch, complex.view_mut()).unwrap();
        plan.forward(complex.view(), &mut scratch, &mut f).unwrap();
        plan.inverse_real(&f, &mut scratch, real.view_mut()).unwrap();
        plan.forward_real(real.view(), &mut scratch, &mut f).unwrap();
    });
    assert_eq!(count, 0);
}

#[test]
fn lane_transforms_do_not_allocate() {
    let plan = LaneTransform::<f32>::new(6, &RotationGrid::fast(6).unwrap()).unwrap();
    let mut workspace = plan.workspace::<16>();
    let mut coefficients = LaneBuffer::<f32, 16>::zeros(plan.coefficients_len());
    let mut ring = LaneBuffer::<f32, 16>::zeros(plan.ring_len());
    let (first, second) = (vec![1.0; 72], vec![[1.0; 16]; 72]);
    let count = allocations(|| {
        plan.correlate([1.0, 0.0], 2, &first, &second, &mut coefficients).unwrap();
        plan.load(&coefficients, &mut workspace).unwrap();
        plan.inverse_ring(3, &mut workspace, &mut ring).unwrap();
        plan.clear(&mut workspace).unwrap();
        plan.forward_ring(3, &ring, &mut workspace).unwrap();
        plan.store(&workspace, &mut coefficients).unwrap();
    });
    assert_eq!(count, 0);
}
