//! An OpenAI-compatible server on loopback that obeys the simulator's directives over real HTTP: plain and streamed answers,
//! refusals, broken streams, garbage. It counts its calls and keeps the last request, so that a test can see what was sent.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use custody_dialect::{
    ChatRequest, StreamEvent,
    openai::{AnswerHead, ChunkWriter, ErrorBody, Limits, parse_chat_request, render_chat_answer, render_error},
};
use custody_model::{
    ErrorKind,
    simulator::{Fault, Plan},
};
use futures::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::watch};

/// Long enough for a piece to leave before its connection breaks.
const FLUSH: Duration = Duration::from_millis(5);

type Frames = Pin<Box<dyn Stream<Item = io::Result<Frame<Bytes>>> + Send>>;
type Body = Either<Full<Bytes>, StreamBody<Frames>>;

/// A running server; it stops when dropped.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    seen: Arc<Seen>,
    _running: watch::Sender<()>,
}

/// The last request that came in.
#[derive(Debug, Clone)]
pub struct SeenRequest {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

#[derive(Debug, Default)]
struct Seen {
    calls: AtomicU64,
    connections: AtomicU64,
    last: Mutex<Option<SeenRequest>>,
}

impl Upstream {
    /// Starts a server on the current runtime, on a free port.
    ///
    /// # Errors
    /// If no port can be bound.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (server, work) = Self::on(listener)?;
        tokio::spawn(work);
        Ok(server)
    }

    /// Starts a server on a thread of its own, so that it shares no runtime with what is measured.
    ///
    /// # Errors
    /// If no port can be bound or no thread started.
    pub fn start_on_thread() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let (server, work) = Self::on(listener)?;
        std::thread::Builder::new().name("upstream".to_owned()).spawn(move || runtime.block_on(work))?;
        Ok(server)
    }

    /// What a client writes as its base URL.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests came in.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.seen.calls.load(Ordering::Acquire)
    }

    /// How many connections were made.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.seen.connections.load(Ordering::Acquire)
    }

    /// The last request that came in.
    #[must_use]
    pub fn last(&self) -> Option<SeenRequest> {
        self.seen.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn on(listener: TcpListener) -> io::Result<(Self, impl Future<Output = ()> + Send)> {
        let (running, stopped) = watch::channel(());
        let seen = Arc::new(Seen::default());
        let server = Self { address: listener.local_addr()?, seen: Arc::clone(&seen), _running: running };
        Ok((server, accept(listener, seen, stopped)))
    }
}

async fn accept(listener: TcpListener, seen: Arc<Seen>, mut stopped: watch::Receiver<()>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => return,
        };
        let Ok((socket, _)) = accepted else { continue };
        seen.connections.fetch_add(1, Ordering::AcqRel);
        // A socket that refuses the option still works, only slower.
        let _ = socket.set_nodelay(true);
        let (seen, mut stopped) = (Arc::clone(&seen), stopped.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, Arc::clone(&seen)));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
            // A broken connection is the client's to notice; some are broken on purpose.
            tokio::select! { _ = connection => {}, _ = stopped.changed() => {} }
        });
    }
}

async fn answer(request: Request<Incoming>, seen: Arc<Seen>) -> Result<Response<Body>, io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let call = seen.calls.fetch_add(1, Ordering::AcqRel) + 1;
    *seen.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(SeenRequest { headers: head.headers, body: body.clone() });
    let request = match parse_chat_request(&body, &Limits::default()) {
        _ if head.uri.path() != "/v1/chat/completions" => return Ok(refuse(404, "not_found")),
        Ok(request) => request,
        Err(error) => return Ok(refuse(400, custody_types::Fault::code(&error))),
    };
    let Ok(plan) = Plan::of(&request) else { return Ok(refuse(400, "unknown_directive")) };
    if !plan.delay.is_zero() {
        tokio::time::sleep(plan.delay).await;
    }
    let mut response = respond(&request, plan);
    if let Ok(id) = format!("stub-{call}").parse() {
        response.headers_mut().insert("x-request-id", id);
    }
    Ok(response)
}

fn respond(request: &ChatRequest, plan: Plan) -> Response<Body> {
    let head = AnswerHead { id: "chatcmpl-stub", created: 0, model: &request.model };
    match plan.fault {
        Some(Fault::Status { status, retry_after }) => {
            let mut refusal = refuse(status, "simulated");
            if let Some(Ok(wait)) = retry_after.map(|wait| wait.as_secs().to_string().parse()) {
                refusal.headers_mut().insert("retry-after", wait);
            }
            refusal
        }
        _ if request.stream => {
            let writer = ChunkWriter::new(&head, request.include_usage);
            typed("text/event-stream", Either::Right(StreamBody::new(chunks(plan, writer))))
        }
        Some(Fault::Garbage) => json(b"{\"choices\":[{\"mess".to_vec()),
        Some(Fault::ErrorAfter(_)) => json(render_error(&error_body("simulated"))),
        Some(Fault::CutAfter(_)) => {
            let whole = Bytes::from(render_chat_answer(&head, &plan.answer()));
            let half = whole.slice(..whole.len() / 2);
            let frames = paced([Ok(Frame::data(half)), Err(broken())].into_iter(), Duration::ZERO);
            typed("application/json", Either::Right(StreamBody::new(frames)))
        }
        None => json(render_chat_answer(&head, &plan.answer())),
    }
}

/// The frames of a streamed answer, one for each of its pieces, faults included.
fn chunks(plan: Plan, mut writer: ChunkWriter) -> Frames {
    let (delay, with_done) = (plan.chunk_delay, plan.ends_with_done);
    let frames = plan.steps().filter_map(move |step| {
        let mut out = Vec::with_capacity(256);
        match step {
            Ok(StreamEvent::Opened { .. } | StreamEvent::Details(_)) => return None,
            Ok(StreamEvent::Delta(delta)) => writer.delta(&delta, &mut out),
            Ok(StreamEvent::Usage(usage)) => writer.usage(&usage, &mut out),
            Ok(StreamEvent::Done) if with_done => writer.done(&mut out),
            Ok(StreamEvent::Done) => return None,
            Err(ErrorKind::ErrorInStream) => writer.error(&error_body("simulated"), &mut out),
            Err(ErrorKind::Garbage) => out.extend_from_slice(b"data: {\"choices\":[{\"del\n\n"),
            Err(_) => return Some(Err(broken())),
        }
        Some(Ok(Frame::data(Bytes::from(out))))
    });
    paced(frames, delay)
}

/// Frames one by one, each after its delay. Before a stream breaks off, the pieces before are given the time to leave.
fn paced(frames: impl Iterator<Item = io::Result<Frame<Bytes>>> + Send + 'static, delay: Duration) -> Frames {
    let paced = stream::iter(frames).then(move |frame| async move {
        let wait = if frame.is_err() { delay.max(FLUSH) } else { delay };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        frame
    });
    Box::pin(paced)
}

fn broken() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionReset)
}

const fn error_body(code: &str) -> ErrorBody<'_> {
    ErrorBody { message: "simulated failure", kind: "server_error", param: None, code }
}

fn refuse(status: u16, code: &str) -> Response<Body> {
    let mut response = json(render_error(&error_body(code)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn json(body: Vec<u8>) -> Response<Body> {
    typed("application/json", Either::Left(Full::new(Bytes::from(body))))
}

fn typed(content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static(content_type));
    response
}
