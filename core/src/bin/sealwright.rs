//! The `sealwright` command; everything it does is in [`sealwright::cli`].
fn main() -> std::process::ExitCode {
    sealwright::cli::run(std::env::args_os()).into()
}
