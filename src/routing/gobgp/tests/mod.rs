mod endpoints;
mod paths;
