import com.google.gson.Gson;
import com.google.gson.reflect.TypeToken;
import com.segment.analytics.Analytics;
import com.segment.analytics.Callback;
import com.segment.analytics.messages.AliasMessage;
import com.segment.analytics.messages.GroupMessage;
import com.segment.analytics.messages.IdentifyMessage;
import com.segment.analytics.messages.Message;
import com.segment.analytics.messages.MessageBuilder;
import com.segment.analytics.messages.PageMessage;
import com.segment.analytics.messages.ScreenMessage;
import com.segment.analytics.messages.TrackMessage;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Runs the published Java client several times at once: what it is to do comes in as JSON, what it said of it goes out.
 * See tests/clients/published.py for both.
 */
public class Certify {
    static final int LONGEST_WAIT_SECONDS = 90;

    static class Call {
        String method;
        Map<String, Object> arguments;

        Map<String, ?> object(String name) {
            @SuppressWarnings("unchecked")
            Map<String, ?> found = (Map<String, ?>) arguments.get(name);
            return found;
        }

        String text(String name) {
            return (String) arguments.get(name);
        }

        MessageBuilder<?, ?> message() {
            return switch (method) {
                case "identify" -> IdentifyMessage.builder().traits(object("traits")).userId(text("userId"));
                case "group" -> GroupMessage.builder(text("groupId")).traits(object("traits")).userId(text("userId"));
                case "track" -> TrackMessage.builder(text("event")).properties(object("properties")).userId(text("userId"));
                case "page" -> PageMessage.builder(text("name")).properties(object("properties")).userId(text("userId"));
                case "screen" -> ScreenMessage.builder(text("name")).properties(object("properties")).userId(text("userId"));
                case "alias" -> AliasMessage.builder(text("previousId")).userId(text("userId"));
                default -> throw new IllegalArgumentException(method);
            };
        }
    }

    static class Settings {
        String writeKey;
        String endpoint;
    }

    static class Run {
        Settings settings;
        List<Call> calls;

        /** The words for each message that the client gave up, once it has delivered or given up all. */
        List<String> failures() throws InterruptedException {
            List<String> words = new ArrayList<>();
            CountDownLatch open = new CountDownLatch(calls.size());
            Analytics analytics = Analytics.builder(settings.writeKey).endpoint(settings.endpoint)
                .callback(new Callback() {
                    public void success(Message message) {
                        open.countDown();
                    }

                    public void failure(Message message, Throwable error) {
                        synchronized (words) {
                            words.add(String.valueOf(error.getMessage()));
                        }
                        open.countDown();
                    }
                }).build();
            for (Call call : calls) {
                try {
                    analytics.enqueue(call.message());
                } catch (RuntimeException error) {
                    words.add(error.getMessage());
                    open.countDown();
                }
            }
            analytics.flush();
            if (!open.await(LONGEST_WAIT_SECONDS, TimeUnit.SECONDS)) {
                words.add("no word of " + open.getCount() + " messages");
            }
            analytics.shutdown();
            return words;
        }
    }

    /** Never a proxy; notes for which hosts the client asks. */
    static class Connections extends ProxySelector {
        final Set<String> seen = new ConcurrentSkipListSet<>();

        public List<Proxy> select(URI uri) {
            seen.add(uri.getHost() + ":" + uri.getPort());
            return List.of(Proxy.NO_PROXY);
        }

        public void connectFailed(URI uri, SocketAddress address, IOException error) {}
    }

    public static void main(String[] words) throws Exception {
        Connections connections = new Connections();
        ProxySelector.setDefault(connections);
        Map<String, Run> runs =
            new Gson().fromJson(new InputStreamReader(System.in, "UTF-8"), new TypeToken<Map<String, Run>>() {}.getType());
        Map<String, List<String>> failures = new TreeMap<>();
        List<Thread> threads = new ArrayList<>();
        runs.forEach((name, run) -> threads.add(new Thread(() -> {
            try {
                List<String> found = run.failures();
                synchronized (failures) {
                    failures.put(name, found);
                }
            } catch (InterruptedException error) {
                throw new IllegalStateException(error);
            }
        })));
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        System.out.print(new Gson().toJson(Map.of("failures", failures, "connected", connections.seen)));
        System.exit(0);
    }
}
