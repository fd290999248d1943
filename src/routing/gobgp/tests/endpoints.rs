use super::super::Endpoint;

#[test]
fn an_endpoint_is_what_people_write() {
    for (text, shown) in [
        ("unix:///run/gobgp/api.sock", "unix:///run/gobgp/api.sock"),
        ("unix:/run/gobgp/api.sock", "unix:///run/gobgp/api.sock"),
        ("127.0.0.1:50051", "127.0.0.1:50051"),
        ("[::1]:50051", "[::1]:50051"),
        ("gobgp.example:50051", "gobgp.example:50051"),
    ] {
        assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), shown);
    }
    for wrong in
        ["", "unix:relative", ":50051", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:x", "http://127.0.0.1:1"]
    {
        assert!(wrong.parse::<Endpoint>().is_err(), "{wrong:?}");
    }
}
