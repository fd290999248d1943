fn main() -> std::process::ExitCode {
    novaedge::cli::ctl::main()
}
