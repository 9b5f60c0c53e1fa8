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
)

func send(stream stream, count int) {
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
	stream.CloseWrite()
}

func open(session session, count int) {
	for range count {
		opened, err := session.open()
		if err != nil {
			return
		}
		fmt.Fprintln(opened, "opened")
		opened.CloseWrite()
		go io.Copy(io.Discard, opened)
	}
}

func obey(session session, stream stream) {
	input := bufio.NewReader(stream)
	line, err := input.ReadString('\n')
	if err != nil {
		stream.CloseWrite()
		return
	}
	var word string
	var count int
	fmt.Sscan(strings.TrimSpace(line), &word, &count)
	switch word {
	case "echo":
		io.Copy(stream, input)
		stream.CloseWrite()
	case "sink":
		taken, _ := io.Copy(io.Discard, input)
		fmt.Fprintln(stream, taken)
		stream.CloseWrite()
	case "send":
		go io.Copy(io.Discard, input)
		send(stream, count)
	case "open":
		open(session, count)
		fmt.Fprintln(stream, "ok")
		stream.CloseWrite()
	case "hold":
	default:
		stream.CloseWrite()
	}
}

func serve(session session) {
	for {
		stream, err := session.accept()
		if err != nil {
			return
		}
		go obey(session, stream)
	}
}

// `serve PORT`: the library accepts the connection.
func serveAt(library, address string) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		session, err := begin(library, conn, true)
		if err != nil {
			log.Fatal(err)
		}
		go serve(session)
	}
}

// `call PORT`: the library dials.
func call(library, address string) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	session, err := begin(library, conn, false)
	if err != nil {
		log.Fatal(err)
	}
	serve(session)
}
