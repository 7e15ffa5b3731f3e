// Package adaptertest holds the promises that every adapter keeps, as one suite
// of tests, and the proxy that makes a remote misbehave on purpose.
//
// An adapter's test gives Run a Suite whose New makes a fresh fake remote: the
// handler that answers for it, how an adapter for it is made, and what the fake
// can be made to do behind the adapter's back. Run asks the adapter by type
// assertion what it can do and tests just that; a part of the Fixture that the
// adapter's abilities call for and that is missing fails the test, so that no
// promise goes untested in silence.
//
//	func TestContract(t *testing.T) {
//		adaptertest.Run(t, adaptertest.Suite{New: func(t *testing.T) *adaptertest.Fixture {
//			fake := newFake()
//			return &adaptertest.Fixture{Remote: fake, Adapter: …, Add: …}
//		}})
//	}
//
// Every subtest gets a fixture of its own, and a FaultProxy between the adapter
// and the remote. The name of a subtest is the promise that it tests.
package adaptertest
