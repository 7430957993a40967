//! Numbers that audit records use, and their names.

/// System calls of x86-64 that rules ask for (`arch/x86/entry/syscalls/syscall_64.tbl`).
#[rustfmt::skip]
const SYSTEM_CALLS: &[(u32, &str)] = &[
    (2, "open"), (41, "socket"), (42, "connect"), (43, "accept"), (49, "bind"), (50, "listen"),
    (56, "clone"), (59, "execve"), (62, "kill"), (82, "rename"), (83, "mkdir"), (84, "rmdir"),
    (85, "creat"), (86, "link"), (87, "unlink"), (88, "symlink"), (90, "chmod"), (91, "fchmod"),
    (92, "chown"), (93, "fchown"), (99, "sysinfo"), (101, "ptrace"), (103, "syslog"), (105, "setuid"),
    (106, "setgid"), (117, "setresuid"), (133, "mknod"), (135, "personality"), (155, "pivot_root"),
    (159, "adjtimex"), (161, "chroot"), (164, "settimeofday"), (165, "mount"), (166, "umount2"),
    (169, "reboot"), (170, "sethostname"), (175, "init_module"), (176, "delete_module"), (188, "setxattr"),
    (227, "clock_settime"), (257, "openat"), (259, "mknodat"), (263, "unlinkat"), (264, "renameat"),
    (268, "fchmodat"), (272, "unshare"), (304, "open_by_handle_at"), (308, "setns"),
    (310, "process_vm_readv"), (311, "process_vm_writev"), (313, "finit_module"), (316, "renameat2"),
    (319, "memfd_create"), (321, "bpf"), (322, "execveat"),
];

/// Types of records (`include/uapi/linux/audit.h`).
#[rustfmt::skip]
const TYPES: &[(u32, &str)] = &[
    (1300, "SYSCALL"), (1302, "PATH"), (1305, "CONFIG_CHANGE"), (1306, "SOCKADDR"), (1307, "CWD"),
    (1309, "EXECVE"), (1326, "SECCOMP"), (1327, "PROCTITLE"), (1400, "AVC"),
];

/// The name of a system call.
pub(super) fn system_call(number: &str) -> Option<&'static str> {
    named(SYSTEM_CALLS, number)
}

/// The name of a type of record.
pub(super) fn record_type(number: &str) -> Option<&'static str> {
    named(TYPES, number)
}

fn named(table: &[(u32, &'static str)], number: &str) -> Option<&'static str> {
    let number: u32 = number.parse().ok()?;
    table.iter().find_map(|(known, name)| (*known == number).then_some(*name))
}
