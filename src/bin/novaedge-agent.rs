fn main() -> std::process::ExitCode {
    novaedge::cli::agent::main()
}
