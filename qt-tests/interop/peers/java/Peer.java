// SPDX-License-Identifier: MIT OR Apache-2.0

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLParameters;

/** A DTLS peer on SSLEngine: echoes what it receives, and closes when it is asked to. */
public final class Peer {
    private static final byte[] CLOSE_REQUEST = "please-close\n".getBytes(StandardCharsets.US_ASCII);
    private static final int MOST = 1 << 16;
    private static final int RETRANSMIT_MS = 1000;

    private final Map<String, String> options = new HashMap<>();
    private final boolean isServer;
    private final SSLContext context;
    private DatagramSocket socket;
    private SSLEngine engine;

    private Peer(String[] arguments) throws Exception {
        for (String argument : arguments) {
            String[] parts = argument.split("=", 2);
            options.put(parts[0], parts[1]);
        }
        isServer = options.get("role").equals("server");
        context = Credentials.context(options);
    }

    public static void main(String[] arguments) throws Exception {
        Peer peer = new Peer(arguments);
        int connections = peer.isServer ? Integer.MAX_VALUE : peer.options.containsKey("resume") ? 2 : 1;
        for (int count = 0; count < connections; ++count) {
            peer.connection();
        }
    }

    private void connection() throws Exception {
        InetAddress local = InetAddress.getLoopbackAddress();
        int port = Integer.parseInt(options.get("port"));
        socket = isServer ? new DatagramSocket(new InetSocketAddress(local, port)) : new DatagramSocket();
        prepare(port);
        try (DatagramSocket open = socket) {
            if (!isServer) {
                open.connect(local, port);
            }
            System.out.println("ready");
            handshake();
            System.out.println("handshake " + engine.getSession().getCipherSuite());
            echo();
            System.out.println("closed");
        } catch (IOException error) {
            System.out.println("failed " + error);
        }
    }

    private void prepare(int port) {
        engine = context.createSSLEngine("localhost", port);
        engine.setUseClientMode(!isServer);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setNeedClientAuth(isServer && options.containsKey("demand"));
        if (!isServer) {
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
        }
        if (options.containsKey("suite")) {
            parameters.setCipherSuites(new String[] {options.get("suite")});
        }
        if (options.containsKey("alpn")) {
            parameters.setApplicationProtocols(new String[] {options.get("alpn")});
        }
        engine.setSSLParameters(parameters);
    }

    private void handshake() throws IOException {
        engine.beginHandshake();
        HandshakeStatus status = engine.getHandshakeStatus();
        while (status != HandshakeStatus.NOT_HANDSHAKING && status != HandshakeStatus.FINISHED) {
            switch (status) {
                case NEED_TASK -> runTasks();
                case NEED_WRAP -> wrap(new byte[0]);
                case NEED_UNWRAP_AGAIN -> unwrap(ByteBuffer.allocate(0));
                default -> {
                    ByteBuffer datagram = receive(socket.isConnected() ? RETRANSMIT_MS : 0);
                    if (datagram == null) {
                        wrap(new byte[0]); // sends the flight again
                    } else {
                        unwrap(datagram);
                    }
                }
            }
            status = engine.getHandshakeStatus();
        }
    }

    /** Returns when the connection is over. */
    private void echo() throws IOException {
        while (!engine.isInboundDone()) {
            ByteBuffer message = unwrap(receive(0));
            byte[] bytes = new byte[message.flip().remaining()];
            message.get(bytes);
            if (Arrays.equals(bytes, CLOSE_REQUEST)) {
                break;
            }
            if (bytes.length > 0) {
                wrap(bytes);
            }
            answer();
        }
        engine.closeOutbound();
        answer();
    }

    /** Sends what the engine has to say by itself, as a flight that the other side has lost. */
    private void answer() throws IOException {
        while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP
                || engine.getHandshakeStatus() == HandshakeStatus.NEED_TASK) {
            runTasks();
            if (wrap(new byte[0]) == SSLEngineResult.Status.CLOSED) {
                return;
            }
        }
    }

    private void runTasks() {
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
    }

    private SSLEngineResult.Status wrap(byte[] message) throws IOException {
        ByteBuffer datagram = ByteBuffer.allocate(MOST);
        SSLEngineResult result = engine.wrap(ByteBuffer.wrap(message), datagram);
        if (datagram.position() > 0) {
            try {
                socket.send(new DatagramPacket(datagram.array(), datagram.position()));
            } catch (PortUnreachableException error) {
                System.out.println("the other side is gone");
            }
        }
        return result.getStatus();
    }

    private ByteBuffer unwrap(ByteBuffer datagram) throws IOException {
        ByteBuffer message = ByteBuffer.allocate(MOST);
        do {
            engine.unwrap(datagram, message);
            runTasks();
        } while (datagram.hasRemaining() && !engine.isInboundDone());
        return message;
    }

    /** Null if nothing came in time. A server talks to the first that sends something. */
    private ByteBuffer receive(int timeout) throws IOException {
        DatagramPacket packet = new DatagramPacket(new byte[MOST], MOST);
        socket.setSoTimeout(timeout);
        try {
            socket.receive(packet);
        } catch (SocketTimeoutException | PortUnreachableException error) {
            return null;
        }
        if (!socket.isConnected()) {
            socket.connect(packet.getSocketAddress());
        }
        return ByteBuffer.wrap(packet.getData(), 0, packet.getLength());
    }
}
