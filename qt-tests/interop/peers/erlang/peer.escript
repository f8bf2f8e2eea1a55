#!/usr/bin/env escript
%% SPDX-License-Identifier: MIT OR Apache-2.0
%%
%% A DTLS peer on Erlang's ssl: echoes what it receives, and closes when it is asked to.

main(Arguments) ->
    {ok, _} = application:ensure_all_started(ssl),
    logger:set_primary_config(level, none),
    Options = maps:from_list([list_to_tuple(string:split(Argument, "=")) || Argument <- Arguments]),
    Port = list_to_integer(maps:get("port", Options)),
    case Options of
        #{"role" := "server"} -> serve(Port, Options);
        #{"resume" := _} -> connect(Port, Options), connect(Port, Options);
        _ -> connect(Port, Options)
    end.

serve(Port, Options) ->
    {ok, Listener} = ssl:listen(Port, common(Options) ++ server(Options)),
    say("ready"),
    accept(Listener).

accept(Listener) ->
    {ok, Transport} = ssl:transport_accept(Listener),
    case ssl:handshake(Transport) of
        {ok, Socket} -> echo(Socket);
        Error -> say("failed ~p", [Error])
    end,
    accept(Listener).

connect(Port, Options) ->
    case ssl:connect({127, 0, 0, 1}, Port, common(Options) ++ client(Options)) of
        {ok, Socket} -> echo(Socket);
        Error -> say("failed ~p", [Error])
    end.

%% Returns when the connection is over.
echo(Socket) ->
    {ok, [{selected_cipher_suite, Suite}]} = ssl:connection_information(Socket, [selected_cipher_suite]),
    say("handshake ~s", [ssl:suite_to_str(Suite)]),
    receive_all(Socket).

receive_all(Socket) ->
    case ssl:recv(Socket, 0) of
        {ok, <<"please-close\n">>} -> ssl:close(Socket);
        {ok, Message} ->
            case ssl:send(Socket, Message) of
                ok -> ok;
                Error -> say("failed ~p", [Error])
            end,
            receive_all(Socket);
        {error, closed} -> say("closed"), ssl:close(Socket);
        Error -> say("failed ~p", [Error])
    end.

common(Options) ->
    [{protocol, dtls}, {versions, ['dtlsv1.2']}, {active, false}, {mode, binary},
     {cacertfile, maps:get("ca", Options)}]
        ++ [{certfile, File} || File <- given("cert", Options)]
        ++ [{keyfile, File} || File <- given("key", Options)]
        ++ [{ciphers, [ssl:str_to_suite(Suite)]} || Suite <- given("suite", Options)]
        ++ [{psk_identity, Identity} || Identity <- given("identity", Options)]
        ++ [{user_lookup_fun, {fun(psk, _, Secret) -> {ok, Secret} end, binary:decode_hex(list_to_binary(Key))}}
            || Key <- given("psk", Options)].

server(Options) ->
    [{ip, {127, 0, 0, 1}}]
        ++ [{alpn_preferred_protocols, [list_to_binary(Name)]} || Name <- given("alpn", Options)]
        ++ [{K, V} || _ <- given("demand", Options), {K, V} <- [{verify, verify_peer}, {fail_if_no_peer_cert, true}]].

client(Options) ->
    [{alpn_advertised_protocols, [list_to_binary(Name)]} || Name <- given("alpn", Options)]
        ++ case maps:is_key("psk", Options) of
               true -> [{verify, verify_none}];
               false -> [{verify, verify_peer}, {server_name_indication, "localhost"}]
           end
        ++ [{reuse_sessions, save} || _ <- given("resume", Options)].

given(Name, Options) ->
    [Value || {ok, Value} <- [maps:find(Name, Options)]].

say(Text) ->
    say(Text, []).

say(Format, Arguments) ->
    io:format(Format ++ "~n", Arguments).
