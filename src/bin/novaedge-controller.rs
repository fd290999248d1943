fn main() -> std::process::ExitCode {
    novaedge::cli::controller::main()
}
