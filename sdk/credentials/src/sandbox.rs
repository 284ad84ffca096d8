//! Irrevocable sandbox of the decoding worker.
//!
//! Resource limits bound memory, time, file sizes, descriptors and processes. On Linux a Landlock
//! ruleset without rules then denies the file system and TCP, and a seccomp filter allows nothing
//! but memory, reading and writing what is open, and the end of the process. A system call that is
//! not allowed fails with `EPERM`.

use std::io;

use rlimit::Resource;

/// Memory limit of a worker: program, content and decoded content.
const MEMORY_BYTES: u64 = 2 * 1_024 * 1_024 * 1_024;
const CPU_SECONDS: u64 = 20;

/// Confines this process for the rest of its life. It has one thread.
///
/// # Errors
/// [`io::Error`] if a limit cannot be set or the seccomp filter cannot be installed. A kernel without
/// Landlock is accepted: the filter denies the same system calls.
pub fn confine() -> io::Result<()> {
    let limits = [
        (Resource::AS, MEMORY_BYTES),
        (Resource::CPU, CPU_SECONDS),
        (Resource::FSIZE, 0),
        (Resource::CORE, 0),
    ];
    limits.into_iter().try_for_each(limit)?;
    #[cfg(target_os = "linux")]
    linux::restrict_files()?;
    [(Resource::NPROC, 0), (Resource::NOFILE, 0)].into_iter().try_for_each(limit)?;
    #[cfg(target_os = "linux")]
    linux::filter_system_calls()?;
    Ok(())
}

/// Lowers a limit; the parent may allow less.
fn limit((resource, most): (Resource, u64)) -> io::Result<()> {
    let most = most.min(resource.get_hard()?);
    resource.set(most, most)
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;

    use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetError, Scope};
    use seccompiler::{
        BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
        SeccompFilter, SeccompRule,
    };

    /// System calls that are allowed with any arguments.
    const ALLOWED: [libc::c_long; 26] = [
        // What is open.
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_close,
        libc::SYS_lseek,
        // Memory. Mappings cannot be made executable.
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_brk,
        // Locks, time, random numbers.
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_nanosleep,
        libc::SYS_restart_syscall,
        libc::SYS_getrandom,
        // Signals of this process, and its end.
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];

    /// Denies the file system, TCP, and what Landlock scopes: abstract sockets and signals.
    pub fn restrict_files() -> io::Result<()> {
        let restrict = || -> Result<_, RulesetError> {
            let ruleset = Ruleset::default().handle_access(AccessFs::from_all(ABI::V5))?;
            let ruleset = ruleset.handle_access(AccessNet::from_all(ABI::V5))?;
            ruleset.scope(Scope::from_all(ABI::V6))?.create()?.restrict_self()
        };
        restrict().map(drop).map_err(io::Error::other)
    }

    /// Installs the seccomp filter, and `no_new_privs` with it.
    pub fn filter_system_calls() -> io::Result<()> {
        let program = filter().map_err(io::Error::other)?;
        seccompiler::apply_filter(&program).map_err(io::Error::other)
    }

    fn filter() -> Result<BpfProgram, BackendError> {
        let equals = |argument, value| {
            SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
        };
        let executable = SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64);
        let not_executable =
            || SeccompCondition::new(2, SeccompCmpArgLen::Dword, executable.clone(), 0);
        let own_process = equals(0, u64::from(std::process::id()))?;
        let conditional = [
            (libc::SYS_mmap, not_executable()?),
            (libc::SYS_mprotect, not_executable()?),
            (libc::SYS_tgkill, own_process), // aborts
        ];
        let mut rules: std::collections::BTreeMap<i64, Vec<SeccompRule>> =
            ALLOWED.into_iter().map(|call| (call, Vec::new())).collect();
        for (call, condition) in conditional {
            rules.insert(call, vec![SeccompRule::new(vec![condition])?]);
        }
        let denied = SeccompAction::Errno(libc::EPERM as u32);
        let target = std::env::consts::ARCH.try_into()?;
        SeccompFilter::new(rules, denied, SeccompAction::Allow, target)?.try_into()
    }
}
