//! The reference of architecture files.

use crate::support::Playground;

#[test]
fn the_page_of_the_docs_is_current() {
    let here = Playground::new();
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/architecture-files.md");
    let written = std::fs::read_to_string(&page).unwrap_or_default();
    let current = here.succeed("layers --markdown");
    assert_eq!(written, current, "run: ekernel layers --markdown > docs/architecture-files.md");
}

#[test]
fn every_entry_is_shown_and_its_example_is_an_architecture() {
    let here = Playground::new();
    let list = here.succeed("layers");
    let entries = here.json("layers");
    for entry in entries.as_array().unwrap() {
        let name = entry["name"].as_str().unwrap();
        assert!(list.contains(&format!("  {name} ")), "{name}");
        let shown = here.succeed(&format!("layers {name}"));
        let (_, example) = shown.split_once("Example\n\n").unwrap();
        here.text("example.toml", example);
        match name {
            "max_pool" => drop(here.refuse("plan example.toml", &["max_pool", "no kernel in closed form"])),
            _ => drop(here.succeed("plan example.toml")),
        }
        for key in entry["keys"].as_array().unwrap() {
            assert!(shown.contains(key["key"].as_str().unwrap()), "{name}");
        }
    }
    assert!(here.succeed("layers vector").contains("space = \"vector\""));
    assert!(here.succeed("layers lift").contains("grid → group grid"));
}

#[test]
fn layers_without_a_kernel_say_why() {
    let here = Playground::new();
    for (op, reason) in [
        ("GlobalMaxPool", "no closed form"),
        ("BatchNorm", "layer_norm"),
        ("self_attention", "all pairs of positions"),
        ("tanh", "erf with b = 0.8862"),
        ("silu", "gelu is closest"),
        ("softplus", "relu and gelu"),
    ] {
        here.refuse(&format!("layers {op}"), &[op, reason]);
        let arch = format!(
            "[input]\nspace = \"vector\"\nshape = [2]\n[[layers]]\nop = \"dense\"\n[[layers]]\nop = \"{op}\"\n"
        );
        here.text("absent.toml", &arch);
        here.refuse("plan absent.toml", &["absent.toml", "layer 2", op, reason]);
    }
    here.refuse("layers xyzzy", &["'xyzzy'", "no input, layer or activation; `ekernel layers` lists them"]);
    for (word, meant) in
        [("lyft", "lift"), ("Conv", "conv"), ("ReLU", "relu"), ("vectors", "vector"), ("avgpool", "avg_pool")]
    {
        here.refuse(&format!("layers {word}"), &[word, &format!("did you mean '{meant}'?")]);
    }
}

#[test]
fn every_help_ends_with_two_examples() {
    let here = Playground::new();
    let list = here.succeed("--help");
    let commands = list.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    let commands: Vec<&str> = commands
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.contains(&"predict") && commands.contains(&"layers"), "{commands:?}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        let help = here.succeed(&format!("{command} --help"));
        let (_, examples) = help.split_once("Examples:\n").unwrap_or_else(|| panic!("{command}: {help}"));
        let shown = examples.lines().filter(|line| line.trim_start().starts_with("ekernel ")).count();
        assert_eq!(shown, 2, "{command}: {help}");
    }
}
