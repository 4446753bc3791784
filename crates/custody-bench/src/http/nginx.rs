//! nginx as a reverse proxy with keep-alive to the upstream: the yardstick for any proxy on this machine.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};

const PROGRAMS: [&str; 2] = ["/usr/sbin/nginx", "/usr/bin/nginx"];

/// Starts nginx in `folder`; nothing where it is not installed.
pub fn start(folder: &Path, upstream: SocketAddr) -> Result<Option<(Child, SocketAddr)>> {
    let Some(program) = PROGRAMS.iter().find(|program| Path::new(program).exists()) else {
        return Ok(None);
    };
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let file = folder.join("nginx.conf");
    std::fs::write(&file, configuration(folder, upstream, address)).context("cannot write nginx.conf")?;
    let mut command = Command::new(program);
    command.arg("-p").arg(folder).arg("-c").arg(&file).arg("-e").arg(folder.join("error.log"));
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("nginx cannot be started")?;
    Ok(Some((child, address)))
}

fn configuration(folder: &Path, upstream: SocketAddr, address: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "daemon off; worker_processes auto; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; tcp_nodelay on; keepalive_requests 100000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream model {{ server {upstream}; keepalive 256; keepalive_requests 100000000; }}
  server {{
    listen {address};
    location / {{ proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_buffering off; }}
  }}
}}
"
    )
}
