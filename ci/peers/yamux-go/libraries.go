// The two libraries behind one face: `-lib hashicorp` (hashicorp/yamux) and `-lib libp2p` (libp2p/go-yamux).
package main

import (
	"context"
	"fmt"
	"io"
	"net"

	hashicorp "github.com/hashicorp/yamux"
	libp2p "github.com/libp2p/go-yamux/v5"
)

type stream interface {
	io.ReadWriter
	// Ends our direction; the other end's goes on.
	CloseWrite() error
}

type session interface {
	accept() (stream, error)
	open() (stream, error)
}

// Its Close is a half-close already.
type hashicorpStream struct{ *hashicorp.Stream }

func (s hashicorpStream) CloseWrite() error { return s.Close() }

type hashicorpSession struct{ *hashicorp.Session }

func (s hashicorpSession) accept() (stream, error) {
	accepted, err := s.AcceptStream()
	return hashicorpStream{accepted}, err
}

func (s hashicorpSession) open() (stream, error) {
	opened, err := s.OpenStream()
	return hashicorpStream{opened}, err
}

type libp2pSession struct{ *libp2p.Session }

func (s libp2pSession) accept() (stream, error) { return s.AcceptStream() }

func (s libp2pSession) open() (stream, error) { return s.OpenStream(context.Background()) }

// Begins a session of the library with its own defaults.
func begin(library string, conn net.Conn, server bool) (session, error) {
	switch library {
	case "hashicorp":
		make := hashicorp.Client
		if server {
			make = hashicorp.Server
		}
		made, err := make(conn, nil)
		return hashicorpSession{made}, err
	case "libp2p":
		make := libp2p.Client
		if server {
			make = libp2p.Server
		}
		made, err := make(conn, nil, nil)
		return libp2pSession{made}, err
	}
	return nil, fmt.Errorf("-lib is hashicorp or libp2p, not %q", library)
}
