// SPDX-License-Identifier: MIT OR Apache-2.0

// A DTLS peer on pion: echoes what it receives, and closes when it is asked to.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/pion/dtls/v2"
)

const closeRequest = "please-close\n"

var suites = map[string]dtls.CipherSuiteID{
	"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	"TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8":      dtls.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8,
	"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA":    dtls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
	"TLS_PSK_WITH_AES_128_GCM_SHA256":         dtls.TLS_PSK_WITH_AES_128_GCM_SHA256,
}

// Sessions in memory, for both sides.
type store struct {
	lock     sync.Mutex
	sessions map[string]dtls.Session
}

func (s *store) Set(key []byte, session dtls.Session) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.sessions[string(key)] = session
	return nil
}

func (s *store) Get(key []byte) (dtls.Session, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.sessions[string(key)], nil
}

func (s *store) Del(key []byte) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	delete(s.sessions, string(key))
	return nil
}

func check(err error) {
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
}

func arguments() map[string]string {
	values := map[string]string{}
	for _, argument := range os.Args[1:] {
		if name, value, found := strings.Cut(argument, "="); found {
			values[name] = value
		}
	}
	return values
}

func configuration(options map[string]string) *dtls.Config {
	pem, err := os.ReadFile(options["ca"])
	check(err)
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(pem)
	config := &dtls.Config{
		RootCAs:              authorities,
		ClientCAs:            authorities,
		ServerName:           "localhost",
		ExtendedMasterSecret: dtls.RequestExtendedMasterSecret,
	}
	if options["cert"] != "" {
		certificate, err := tls.LoadX509KeyPair(options["cert"], options["key"])
		check(err)
		config.Certificates = []tls.Certificate{certificate}
	}
	if options["psk"] != "" {
		key, err := hex.DecodeString(options["psk"])
		check(err)
		config.PSK = func([]byte) ([]byte, error) { return key, nil }
		config.PSKIdentityHint = []byte(options["identity"])
	}
	if options["suite"] != "" {
		config.CipherSuites = []dtls.CipherSuiteID{suites[options["suite"]]}
	}
	if options["alpn"] != "" {
		config.SupportedProtocols = []string{options["alpn"]}
	}
	if options["demand"] != "" && options["role"] == "server" {
		config.ClientAuth = dtls.RequireAndVerifyClientCert
	}
	if options["resume"] != "" {
		config.SessionStore = &store{sessions: map[string]dtls.Session{}}
	}
	return config
}

// Returns when the connection is over.
func echo(connection net.Conn) {
	fmt.Println("handshake")
	defer connection.Close()
	message := make([]byte, 1<<16)
	for {
		size, err := connection.Read(message)
		if errors.Is(err, io.EOF) {
			fmt.Println("closed")
			return
		}
		if err != nil {
			fmt.Println("failed", err)
			return
		}
		if string(message[:size]) == closeRequest {
			return
		}
		if _, err = connection.Write(message[:size]); err != nil {
			fmt.Println("failed", err)
		}
	}
}

func serve(address *net.UDPAddr, config *dtls.Config) {
	listener, err := dtls.Listen("udp", address, config)
	check(err)
	fmt.Println("ready")
	for {
		connection, err := listener.Accept()
		if err != nil {
			fmt.Println("failed", err)
			continue
		}
		go echo(connection)
	}
}

func main() {
	options := arguments()
	port, err := strconv.Atoi(options["port"])
	check(err)
	address := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
	config := configuration(options)
	if options["role"] == "server" {
		serve(address, config)
	}
	connections := 1
	if options["resume"] != "" {
		connections = 2
	}
	for ; connections > 0; connections-- {
		connection, err := dtls.Dial("udp", address, config)
		check(err)
		echo(connection)
	}
}
