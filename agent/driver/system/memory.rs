//! Sets how the C library's allocator handles the buffers of flows. This file has the only unsafe code of the program.

/// Makes the allocator take every large buffer directly from the operating system, and return it directly.
///
/// The buffers of a flow are large, and most of their pages are never used. The operating system provides zeroed pages,
/// and those cost nothing until they are used. However, once a block of such a size has been freed, glibc no longer
/// takes blocks of this size from the operating system. Instead, it zeroes each buffer itself, and then an idle flow
/// costs a megabyte. musl, macOS and Windows do not need this setting.
pub(in crate::driver) fn keep_large_buffers_apart() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const LARGE: libc::c_int = 384 << 10;
        #[expect(
            unsafe_code,
            reason = "there is no safe way to configure the allocator"
        )]
        // SAFETY: mallopt takes two integers, may be called at any time from any thread, and does not change memory
        // that is in use. If it fails, the program only uses more memory.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        }
    }
}
