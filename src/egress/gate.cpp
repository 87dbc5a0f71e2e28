#include "egress/gate.hpp"

#include "egress/address_rules.hpp"
#include "http/error_response.hpp"

namespace rockdove::egress {
namespace {

// Hosts whose connections are kept for the next call; those in use do not count.
constexpr std::size_t outlets_max = 64;

Outlet::Options outlet_options(const Gate::Options& options) {
  Outlet::Options outlet;
  outlet.connect_timeout = options.connect_timeout;
  outlet.first_byte_timeout = options.first_byte_timeout;
  outlet.idle_timeout = options.idle_timeout;
  return outlet;
}

bool has_same_limits(const Gate::Options& a, const Gate::Options& b) {
  return a.connect_timeout == b.connect_timeout && a.first_byte_timeout == b.first_byte_timeout &&
         a.idle_timeout == b.idle_timeout;
}

}  // namespace

/// What the configuration says.
struct Gate::Setup {
  Options options;
  Policy policy;
  std::map<std::string, std::shared_ptr<Destination>, std::less<>> destinations;

  std::shared_ptr<Destination> at(const HostPort& address) const {
    for (const auto& [name, each] : destinations)
      if (each->address() == address) return each;
    return nullptr;
  }
};

/// What was found of one call: where it goes, by which rule.
struct Gate::Way {
  std::shared_ptr<const Setup> setup;
  std::size_t rule = 0;
  std::shared_ptr<Destination> destination;  // that has this host and port; null: none

  std::function<bool(const net::Address&)> permits() const {
    return [networks = setup->policy.rule(rule).networks](const net::Address& address) {
      return is_permitted(address, networks);
    };
  }
};

Gate::Gate(net::Executor executor, Options options, WallClock clock)
    : executor_(executor),
      clock_(std::move(clock)),
      burials_(executor, net::abort_on_error),
      ledger_(executor),
      lines_(executor),
      circuits_(executor) {
  begin(make_setup(std::move(options)));
}

Gate::~Gate() = default;

Awaitable<Result<http::Response>> Gate::handle(Who who, http::Request request) {
  auto call = std::make_shared<Call>(ledger_, std::move(who), request);
  auto response = co_await serve(call, std::move(request));
  if (!response) {
    // A wait that is cut short fails in its own way; what counts is that nobody wants the answer any more.
    const auto state = co_await net::asio::this_coro::cancellation_state;
    const bool is_given_up = state.cancelled() != net::asio::cancellation_type::none;
    call->record.error = is_given_up ? make_error_code(Error::cancelled) : response.error();
    response = http::error_response(response.error(), call->record.request_id);
  }
  call->record.status = response->status;
  co_return response;
}

Awaitable<Result<http::Response>> Gate::serve(CallPtr call, http::Request request) {
  auto target = parse_target(request.method, request.target);
  if (!target) co_return target.error();
  auto way = admit(*call, *target);
  if (!way) co_return way.error();
  auto placed = co_await wait_for_places(call, *target, *way);
  if (!placed) co_return placed.error();
  request.fields.remove("Proxy-Authorization");  // it was for us
  Target wanted = std::move(*target);
  Way found = std::move(*way);
  const bool is_connect = wanted.form == Target::Form::connect;
  auto answer = is_connect
                    ? connect(std::move(call), std::move(wanted), std::move(found), std::move(request))
                    : forward(std::move(call), std::move(wanted), std::move(found), std::move(request));
  auto response = co_await std::move(answer);
  co_return response;
}

Result<Gate::Way> Gate::admit(Call& call, const Target& target) {
  Way way{setup_, 0, nullptr};
  const bool is_named = target.form == Target::Form::named;
  if (is_named) {
    const auto named = setup_->destinations.find(target.name);
    if (named == setup_->destinations.end()) return Error::destination_unknown;
    way.destination = named->second;
    const bool has_base = way.destination->options().url.path.size() > 1;
    if (has_base && has_dot_segment(target.path)) return Error::malformed;
  } else {
    way.destination = setup_->at(target.address);
  }
  Wanted wanted;
  wanted.address = is_named ? way.destination->address() : target.address;
  if (is_named) wanted.destination = target.name;
  wanted.by_name_only = is_named && way.destination->lends_credentials();
  call.destination = to_string(wanted.address);
  const auto rule = setup_->policy.judge(call.who.tunnel, wanted);
  if (!rule) return rule.error();
  way.rule = *rule;
  call.allowed();
  Bucket& bucket = buckets_[{*rule, call.who.tunnel}];
  if (!bucket.take(setup_->policy.rule(*rule).rate, net::Clock::now())) return Error::rate_limited;
  const bool is_full = ledger_.running() > setup_->options.calls ||
                       ledger_.running(call.who.tunnel) > setup_->options.tunnel_calls;
  if (is_full) return Error::queue_full;
  call.bytes_max = setup_->options.call_bytes;
  return way;
}

/// A call keeps its places until its last byte, but for no longer than `hold`: one that reads or sends slowly
/// must not stop the others. A CONNECT is a connection of the destination's until it ends.
Awaitable<Result<void>> Gate::wait_for_places(CallPtr call, const Target& target, const Way& way) {
  if (!way.destination) co_return Result<void>{};
  const DestinationOptions& options = way.destination->options();
  struct Waiting {
    explicit Waiting(Counts& of) : counts(of) { ++counts.waiting; }
    ~Waiting() { --counts.waiting; }
    Counts& counts;
  } waiting(*call->counts);
  Lines::Limits limits{options.concurrency_per_path, options.waiting, options.wait};
  if (limits.running > 0 && target.form != Target::Form::connect) {
    const std::string_view path = without_query(target.path);
    auto place = co_await lines_.enter(to_string(way.destination->address()).append(path), limits);
    if (!place) co_return place.error();
    call->places.push_back(std::move(*place));
  }
  limits.running = options.concurrency;
  if (limits.running > 0) {
    auto place = co_await lines_.enter(to_string(way.destination->address()), limits);
    if (!place) co_return place.error();
    call->places.push_back(std::move(*place));
  }
  if (target.form != Target::Form::connect) call->hold_places_for(options.hold);
  co_return Result<void>{};
}

Awaitable<Result<http::Response>> Gate::connect(CallPtr call, Target target, Way way, http::Request request) {
  const Options& options = way.setup->options;
  const Circuits::Limits limits{options.connect_timeout, options.idle_timeout};
  std::unique_ptr<http::Body> outgoing = std::move(request.body);
  auto permits = way.permits();
  auto response = co_await circuits_.open(std::move(call), target.address, std::move(permits), limits,
                                          std::move(outgoing));
  co_return response;
}

Awaitable<Result<http::Response>> Gate::forward(CallPtr call, Target target, Way way, http::Request request) {
  http::Handler* next = nullptr;
  if (target.form == Target::Form::named) {
    request.target = way.destination->target_of(target.path);
    request.fields.set("Host", way.destination->authority());
    call->outlet = way.destination;
    next = way.destination.get();
  } else {
    const auto outlet = outlet_for(target, way);
    request.target = target.path;
    request.fields.set("Host", outlet->authority());  // RFC 9112 section 3.2.2
    call->outlet = outlet;
    next = outlet.get();
  }
  call->sent = request.content.size();
  if (call->bytes_max > 0 && call->sent > call->bytes_max) co_return Error::body_too_large;
  if (request.body)
    request.body = std::make_unique<CallBody>(call, CallBody::Direction::sent, std::move(request.body));
  request.context.record = &call->record;
  request.context.request_id = call->record.request_id;
  request.context.first_byte_timeout = {};
  auto response = co_await next->handle(std::move(request));
  if (!response) co_return response.error();
  call->received = response->content.size();
  if (response->body)
    response->body =
        std::make_unique<CallBody>(std::move(call), CallBody::Direction::received, std::move(response->body));
  co_return response;
}

/// Tunnels whose rules open other networks share no connections.
std::shared_ptr<Outlet> Gate::outlet_for(const Target& target, const Way& way) {
  const std::string key =
      std::to_string(way.rule) + (target.tls ? " https " : " http ") + to_string(target.address);
  const bool is_current = way.setup == setup_;  // or the rules have changed while it waited in line
  const auto found = outlets_.find(key);
  if (is_current && found != outlets_.end()) return found->second;
  Outlet::Options options = outlet_options(way.setup->options);
  options.address = target.address;
  options.tls = target.tls;
  if (way.destination) options.ca_file = way.destination->options().ca_file;
  options.permits = way.permits();
  auto made = owned(std::make_unique<Outlet>(executor_, std::move(options)));
  if (outlets_.size() >= outlets_max)
    std::erase_if(outlets_, [](const auto& each) { return each.second.use_count() == 1; });
  if (is_current && outlets_.size() < outlets_max) outlets_.emplace(key, made);
  return made;
}

std::shared_ptr<const Gate::Setup> Gate::make_setup(Options options) {
  auto setup = std::make_shared<Setup>();
  setup->policy = Policy(options.rules);
  for (const DestinationOptions& each : options.destinations) {
    // One that stays as it was keeps its connections.
    const auto before = setup_ ? setup_->destinations.find(each.name) : decltype(setup->destinations.end()){};
    const bool is_same = setup_ && before != setup_->destinations.end() &&
                         before->second->options() == each && has_same_limits(setup_->options, options);
    setup->destinations[each.name] = is_same ? before->second : make_destination(each, options);
  }
  setup->options = std::move(options);
  return setup;
}

std::shared_ptr<Destination> Gate::make_destination(const DestinationOptions& options, const Options& all) {
  auto outlet =
      owned(std::make_unique<Outlet>(executor_, Destination::outlet_options(options, outlet_options(all))));
  auto signer = options.lingxing ? signer_for(*options.lingxing, outlet) : nullptr;
  return std::make_shared<Destination>(options, std::move(outlet), std::move(signer));
}

/// Two holders of one app's token would end each other's: there is one as long as calls of any setup need it.
std::shared_ptr<Lingxing> Gate::signer_for(const LingxingApp& app, const std::shared_ptr<Outlet>& outlet) {
  auto signer = signers_[app.app_id].lock();
  if (signer && !app.app_secret.empty()) return signer;
  Lingxing::Options options;
  options.app_id = app.app_id;
  options.app_secret = app.app_secret;
  options.gates.buckets = app.buckets;
  signer = owned(std::make_unique<Lingxing>(executor_, outlet, std::move(options), clock_));
  signers_[app.app_id] = signer;
  return signer;
}

/// Nothing fails from here on.
void Gate::begin(std::shared_ptr<const Setup> setup) {
  setup_ = std::move(setup);
  for (const auto& [name, each] : setup_->destinations) each->take_effect();
  std::erase_if(signers_, [](const auto& each) { return each.second.expired(); });
}

void Gate::set_options(Options options) {
  begin(make_setup(std::move(options)));
  outlets_.clear();
  buckets_.clear();
}

/// Shared among calls and the configuration; the last one to let go leaves it to its burial.
template <class T>
std::shared_ptr<T> Gate::owned(std::unique_ptr<T> made) {
  return std::shared_ptr<T>(made.release(),
                            [this](T* last) { burials_.spawn(bury(std::unique_ptr<T>(last))); });
}

template <class T>
Awaitable<void> Gate::bury(std::unique_ptr<T> last) {
  co_await last->close();
}

Awaitable<void> Gate::close() {
  co_await circuits_.close();
  outlets_.clear();
  setup_.reset();
  co_await ledger_.idle();
  co_await burials_.join();
}

}  // namespace rockdove::egress
