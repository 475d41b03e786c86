//! Sets how the C library's allocator treats the buffers of flows. This is the only unsafe code of the program.

/// Makes the allocator take every large buffer directly from the operating system, and return it there.
///
/// The buffers of a flow are large and mostly untouched. That is free only as long as their pages come fresh and zeroed
/// from the operating system. Once a block of such a size has been freed, glibc stops that for the size: it would clear
/// each buffer by hand, and an idle flow would cost a megabyte. musl, macOS and Windows need no such setting.
pub(in crate::driver) fn keep_large_buffers_apart() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const LARGE: libc::c_int = 384 << 10;
        #[expect(
            unsafe_code,
            reason = "there is no safe way to configure the allocator"
        )]
        // SAFETY: mallopt takes two integers, may be called at any time from any thread, and does not change memory
        // that has been handed out. If it refuses, memory is merely used less well.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        }
    }
}
