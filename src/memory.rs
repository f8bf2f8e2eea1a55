// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory that may be missing (A4). Where the standard library would end the process, these return `None` or the value.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::cell::Cell;
use std::ffi::CString;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, offset_of};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Memory for a value that does not exist yet.
pub struct Place<T>(NonNull<T>);

impl<T> Place<T> {
    /// Allocates it.
    pub fn new() -> Option<Self> {
        let layout = Layout::new::<T>();
        if layout.size() == 0 {
            return Some(Self(NonNull::dangling()));
        }
        // SAFETY: the size is not 0.
        NonNull::new(unsafe { alloc(layout) }.cast()).map(Self)
    }

    /// Moves the value there.
    pub fn fill(self, value: T) -> Box<T> {
        let place = ManuallyDrop::new(self).0.as_ptr();
        // SAFETY: memory for a `T` that no other code uses (`new`).
        unsafe { place.write(value) };
        // SAFETY: as Box requires, the memory is the global allocator's, with the layout of the `T` that it now holds,
        // or dangling for a `T` without a size.
        unsafe { Box::from_raw(place) }
    }
}

impl<T> Drop for Place<T> {
    fn drop(&mut self) {
        let layout = Layout::new::<T>();
        if layout.size() > 0 {
            // SAFETY: allocated by `new` with this layout, and not filled.
            unsafe { dealloc(self.0.as_ptr().cast(), layout) };
        }
    }
}

/// Moves `value` to the heap, or returns it.
pub fn boxed<T>(value: T) -> Result<Box<T>, T> {
    match Place::new() {
        Some(place) => Ok(place.fill(value)),
        None => Err(value),
    }
}

/// Copies bytes. Nothing is reserved beyond their length.
pub fn copy(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut copy = Vec::new();
    append(&mut copy, bytes).map(|()| copy)
}

/// Appends bytes; without memory it leaves the vector as it is.
pub fn append(to: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    to.try_reserve_exact(bytes.len()).ok()?;
    to.extend_from_slice(bytes);
    Some(())
}

/// As many zero bytes as asked for. The system provides them as they are used.
pub fn zeroes(length: usize) -> Option<Vec<u8>> {
    if length == 0 {
        return Some(Vec::new());
    }
    let layout = Layout::array::<u8>(length).ok()?;
    // SAFETY: the size is not 0.
    let start = NonNull::new(unsafe { alloc_zeroed(layout) })?;
    // SAFETY: as Vec requires, the memory is the global allocator's, with the layout of `length` bytes, all initialised.
    Some(unsafe { Vec::from_raw_parts(start.as_ptr(), length, length) })
}

/// Inserts an element; without memory it leaves the vector as it is.
pub fn insert<T>(into: &mut Vec<T>, place: usize, element: T) -> Option<()> {
    into.try_reserve(1).ok()?;
    into.insert(place.min(into.len()), element);
    Some(())
}

/// Appends an element; without memory it leaves the vector as it is.
pub fn push<T>(to: &mut Vec<T>, element: T) -> Option<()> {
    insert(to, usize::MAX, element)
}

/// Copies a text without zero bytes for C.
pub fn c_string(text: &[u8]) -> Option<CString> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(text.len().checked_add(1)?).ok()?;
    bytes.extend_from_slice(text);
    bytes.push(0);
    // Its capacity is its length, so this does not allocate.
    CString::from_vec_with_nul(bytes).ok()
}

/// A value with several owners on one thread, as std's `Rc`.
pub type Rc<T> = Shared<T, Cell<usize>>;
/// A value with owners on several threads, as std's `Arc`.
pub type Arc<T> = Shared<T, AtomicUsize>;

/// A value that is dropped with the last of its owners.
pub struct Shared<T, C: Count>(NonNull<Counted<T, C>>, PhantomData<Counted<T, C>>);

/// The number stands beside what comes first in the value, which is used with it.
#[repr(C)]
struct Counted<T, C> {
    owners: C,
    value: T,
}

/// Memory for a [`Shared`] value that does not exist yet.
pub struct SharedPlace<T, C>(Place<Counted<T, C>>);

impl<T, C: Count> SharedPlace<T, C> {
    /// Moves the value there, and gives it its first owner.
    pub fn fill(self, value: T) -> Shared<T, C> {
        let counted = Box::leak(self.0.fill(Counted { value, owners: C::one() }));
        Shared(NonNull::from(counted), PhantomData)
    }
}

/// A number of owners. It cannot overflow: each owner takes up memory.
pub trait Count {
    fn one() -> Self;
    fn get(&self) -> usize;
    fn increase(&self);
    /// Returns what is left. What the other owners did before they were counted down has happened.
    fn decrease(&self) -> usize;
}

impl Count for Cell<usize> {
    fn one() -> Self {
        Cell::new(1)
    }
    #[inline]
    fn get(&self) -> usize {
        Cell::get(self)
    }
    #[inline]
    fn increase(&self) {
        self.set(Cell::get(self).wrapping_add(1));
    }
    #[inline]
    fn decrease(&self) -> usize {
        self.set(Cell::get(self).wrapping_sub(1));
        Cell::get(self)
    }
}

impl Count for AtomicUsize {
    fn one() -> Self {
        AtomicUsize::new(1)
    }
    fn get(&self) -> usize {
        self.load(Ordering::Acquire)
    }
    fn increase(&self) {
        self.fetch_add(1, Ordering::Relaxed);
    }
    fn decrease(&self) -> usize {
        self.fetch_sub(1, Ordering::AcqRel).wrapping_sub(1)
    }
}

// SAFETY: owners on other threads read and drop the value, which `T: Send + Sync` allows; they are counted atomically.
unsafe impl<T: Send + Sync> Send for Arc<T> {}
// SAFETY: a shared reference to an owner gives what an owner gives.
unsafe impl<T: Send + Sync> Sync for Arc<T> {}

impl<T, C: Count> Shared<T, C> {
    /// Allocates memory for a value and its owners.
    pub fn place() -> Option<SharedPlace<T, C>> {
        Place::new().map(SharedPlace)
    }

    /// Moves `value` to the heap, or returns it.
    pub fn new(value: T) -> Result<Self, T> {
        match Self::place() {
            Some(place) => Ok(place.fill(value)),
            None => Err(value),
        }
    }

    #[inline]
    fn counted(&self) -> &Counted<T, C> {
        // SAFETY: made by `SharedPlace::fill`, and freed by the last owner only; this is one.
        unsafe { self.0.as_ref() }
    }

    /// The number of owners.
    #[inline]
    pub fn owners(&self) -> usize {
        self.counted().owners.get()
    }

    /// Returns whether both own the same value.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// A pointer to its value, for as long as there are owners.
    pub fn as_ptr(&self) -> *const T {
        // SAFETY: points into the allocation that `SharedPlace::fill` made; no reference is made.
        unsafe { &raw const (*self.0.as_ptr()).value }
    }

    /// Gives the owner up as a pointer to its value, for [`Shared::from_raw`].
    pub fn into_raw(self) -> *const T {
        ManuallyDrop::new(self).as_ptr()
    }

    /// Makes a pointer an owner again.
    ///
    /// # Safety
    /// The pointer came from [`Shared::into_raw`] and is not used again.
    #[inline]
    pub unsafe fn from_raw(value: NonNull<T>) -> Self {
        // SAFETY: the value is part of a `Counted`, into which `into_raw` has made the pointer.
        let counted = unsafe { value.byte_sub(offset_of!(Counted<T, C>, value)) };
        Self(counted.cast(), PhantomData)
    }

    /// Drops this owner, and returns the number of the others.
    pub fn give_up(self) -> usize {
        let mut owner = ManuallyDrop::new(self);
        let left = owner.counted().owners.decrease();
        if left == 0 {
            // SAFETY: this was the last owner, and `ManuallyDrop` prevents its use and drop.
            unsafe { owner.free() };
        }
        left
    }

    /// Drops the value and frees its memory.
    ///
    /// # Safety
    /// Called once, by the last owner, which is not used afterwards.
    #[cold]
    unsafe fn free(&mut self) {
        // SAFETY: `SharedPlace::fill` leaked the box, and no owner is left to use it (this function's contract).
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

impl<T, C: Count> Clone for Shared<T, C> {
    #[inline]
    fn clone(&self) -> Self {
        self.counted().owners.increase();
        Self(self.0, PhantomData)
    }
}

impl<T, C: Count> Drop for Shared<T, C> {
    #[inline]
    fn drop(&mut self) {
        if self.counted().owners.decrease() == 0 {
            // SAFETY: this was the last owner, which is dropped once.
            unsafe { self.free() };
        }
    }
}

impl<T, C: Count> Deref for Shared<T, C> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.counted().value
    }
}

impl<T: fmt::Debug, C: Count> fmt::Debug for Shared<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct NotesDrop<'a>(&'a Cell<u32>);

    impl Drop for NotesDrop<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }

    #[test]
    fn a4_the_last_owner_drops_the_value() {
        let drops = Cell::new(0);
        let one = Rc::new(NotesDrop(&drops)).unwrap_or_else(|_| panic!("memory"));
        let other = one.clone();
        assert!(one.is_same(&other));
        assert_eq!((one.owners(), other.give_up(), drops.get()), (2, 1, 0));
        let raw = NonNull::new(one.into_raw().cast_mut()).expect("not null");
        // SAFETY: from `into_raw` above, and not used again.
        let again = unsafe { Rc::from_raw(raw) };
        assert_eq!(drops.get(), 0);
        drop(again);
        assert_eq!(drops.get(), 1);
    }

    #[test]
    fn a4_owners_on_several_threads_are_counted() {
        let shared = Arc::new(vec![7; 3]).expect("memory");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let own = shared.clone();
                scope.spawn(move || (0..1000).for_each(|_| assert_eq!(own.clone().len(), 3)));
            }
        });
        assert_eq!(shared.owners(), 1);
    }

    #[test]
    fn a4_zeroes_are_zero() {
        assert!([0, 1, 70_000].into_iter().all(|length| zeroes(length) == Some(vec![0; length])));
        assert_eq!(zeroes(usize::MAX), None);
    }

    #[test]
    fn a4_texts_for_c_have_no_zero_inside() {
        assert_eq!(c_string(b"name").as_deref(), Some(c"name"));
        assert_eq!(c_string(b""), Some(CString::default()));
        assert_eq!(c_string(b"a\0b"), None);
    }
}
