// The application that `relaylab conformance yamux` wants behind a library: the first line of a stream is a command
// (harness/conformance/suites/yamux/application.ts).
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"strings"

	"github.com/hashicorp/yamux"
)

func send(stream *yamux.Stream, count int) {
	piece := make([]byte, block)
	for at := 0; at < count; at += block {
		size := min(block, count-at)
		for i := range piece[:size] {
			piece[i] = byte((at + i) % 251)
		}
		if _, err := stream.Write(piece[:size]); err != nil {
			return
		}
	}
	stream.Close()
}

func open(session *yamux.Session, count int) {
	for range count {
		opened, err := session.Open()
		if err != nil {
			return
		}
		fmt.Fprintln(opened, "opened")
		opened.Close()
		go io.Copy(io.Discard, opened)
	}
}

func obey(session *yamux.Session, stream *yamux.Stream) {
	input := bufio.NewReader(stream)
	line, err := input.ReadString('\n')
	if err != nil {
		stream.Close()
		return
	}
	var word string
	var count int
	fmt.Sscan(strings.TrimSpace(line), &word, &count)
	switch word {
	case "echo":
		io.Copy(stream, input)
		stream.Close()
	case "sink":
		taken, _ := io.Copy(io.Discard, input)
		fmt.Fprintln(stream, taken)
		stream.Close()
	case "send":
		go io.Copy(io.Discard, input)
		send(stream, count)
	case "open":
		open(session, count)
		fmt.Fprintln(stream, "ok")
		stream.Close()
	case "hold":
	default:
		stream.Close()
	}
}

func serve(session *yamux.Session) {
	for {
		stream, err := session.AcceptStream()
		if err != nil {
			return
		}
		go obey(session, stream)
	}
}

// `serve PORT`: the library accepts the connection.
func serveAt(address string) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		session, err := yamux.Server(conn, nil)
		if err != nil {
			log.Fatal(err)
		}
		go serve(session)
	}
}

// `call PORT`: the library dials.
func call(address string) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	session, err := yamux.Client(conn, nil)
	if err != nil {
		log.Fatal(err)
	}
	serve(session)
}
