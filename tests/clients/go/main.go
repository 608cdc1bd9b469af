// Runs the published Go client several times at once: what it is to do comes in as JSON, what it said of it goes out.
// See tests/clients/published.py for both.
package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/segmentio/analytics-go/v3"
)

type call struct {
	Method    string
	Arguments json.RawMessage
}

type run struct {
	Settings struct {
		WriteKey, Endpoint string
		FlushInterval      int // milliseconds
		// The client tries ten times, with pauses that grow from 0.1 s; another pause is an option of its own.
		RetryAfterMs int
	}
	Calls []call
}

type report struct {
	Failures  map[string][]string `json:"failures"`
	Connected []string            `json:"connected"`
}

// What the client tells its application: the words for each message that it gave up.
type failures struct {
	open  sync.WaitGroup
	lock  sync.Mutex
	words []string
}

func (f *failures) add(err error) {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.words = append(f.words, err.Error())
}

func (f *failures) Success(analytics.Message) { f.open.Done() }

func (f *failures) Failure(_ analytics.Message, err error) {
	f.add(err)
	f.open.Done()
}

func message(c call) (analytics.Message, error) {
	kinds := map[string]func() (analytics.Message, error){
		"identify": read[analytics.Identify](c), "group": read[analytics.Group](c), "track": read[analytics.Track](c),
		"page": read[analytics.Page](c), "screen": read[analytics.Screen](c), "alias": read[analytics.Alias](c),
	}
	return kinds[c.Method]()
}

func read[M analytics.Message](c call) func() (analytics.Message, error) {
	return func() (analytics.Message, error) {
		var m M
		err := json.Unmarshal(c.Arguments, &m)
		return m, err
	}
}

func (r run) failures() []string {
	seen := &failures{words: []string{}}
	config := analytics.Config{
		Endpoint: r.Settings.Endpoint,
		Interval: time.Duration(r.Settings.FlushInterval) * time.Millisecond,
		Callback: seen,
		Logger:   analytics.StdLogger(log.New(io.Discard, "", 0)),
	}
	if pause := r.Settings.RetryAfterMs; pause > 0 {
		config.RetryAfter = func(int) time.Duration { return time.Duration(pause) * time.Millisecond }
	}
	client, err := analytics.NewWithConfig(r.Settings.WriteKey, config)
	check(err)
	for _, each := range r.Calls {
		m, err := message(each)
		check(err)
		seen.open.Add(1)
		if err := client.Enqueue(m); err != nil {
			seen.Failure(m, err)
		}
	}
	seen.open.Wait() // Close gives up what the client is trying again
	check(client.Close())
	return seen.words
}

// The client uses http.DefaultTransport: what it connects to is noted there.
func noteConnections(note func(string)) {
	transport := http.DefaultTransport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		note(address)
		return dial(ctx, network, address)
	}
}

func main() {
	var lock sync.Mutex
	var all sync.WaitGroup
	said := report{Failures: map[string][]string{}, Connected: []string{}}
	noteConnections(func(address string) {
		lock.Lock()
		defer lock.Unlock()
		said.Connected = append(said.Connected, address)
	})
	runs := map[string]run{}
	check(json.NewDecoder(os.Stdin).Decode(&runs))
	for name, each := range runs {
		name, each := name, each
		all.Add(1)
		go func() {
			defer all.Done()
			failures := each.failures()
			lock.Lock()
			defer lock.Unlock()
			said.Failures[name] = failures
		}()
	}
	all.Wait()
	check(json.NewEncoder(os.Stdout).Encode(said))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
