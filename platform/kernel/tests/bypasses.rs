//! The ways round the kernel that the compiler refuses (invariant I1), one file each in `bypasses/`.
//!
//! When only the compiler's words have changed, write the `.stderr` files anew and read the difference:
//! `TRYBUILD=overwrite cargo nextest run -p garrison-kernel --test bypasses`.

#[test]
fn no_way_round_the_kernel_compiles() {
    let files: Vec<_> =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bypasses")).unwrap().collect();
    // Without its `.stderr`, a file that fails to compile for another reason would pass.
    let complaints =
        files.iter().flatten().filter(|file| file.path().extension().is_some_and(|end| end == "stderr"));
    assert_eq!(complaints.count() * 2, files.len());
    trybuild::TestCases::new().compile_fail("tests/bypasses/*.rs");
}
