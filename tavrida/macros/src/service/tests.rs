//! What the macro generates for an impl block.

use quote::quote;

use super::expand;

#[test]
fn what_is_written_is_what_a_person_would_write() {
    let block = quote! {
        impl<T: Store> Hello<T> {
            /// Greets.
            ///
            /// At length.
            #[rpc]
            pub async fn hello(&self, proxy: Proxy, param: i64, #[default] note: String) -> Result<()> {}

            #[response(Charge)]
            async fn charged(receipt: Receipt) {}

            fn helper(&self) {}
        }
    };
    let written = quote! {
        impl<T: Store> Hello<T> {
            /// Greets.
            ///
            /// At length.
            pub async fn hello(&self, proxy: Proxy, param: i64, note: String) -> Result<()> {}

            async fn charged(receipt: Receipt) {}

            fn helper(&self) {}
        }

        impl<T: Store> Hello<T> {
            #[doc = " The service `test_hello`."]
            #[doc = ""]
            #[doc = " - answers `test_hello.hello`, by `hello`: Greets."]
            #[doc = " - handles responses of `Charge`, by `charged`"]
            pub fn into_service(self) -> ::tavrida::Service
            where
                Self: ::std::marker::Send + ::std::marker::Sync + 'static,
            {
                let service = ::tavrida::Service::new("test_hello").state(self);
                let service = service.rpc(
                    "hello",
                    ::tavrida::handler::params(
                        ["param", "note"],
                        |this: ::tavrida::handler::State<Self>,
                         proxy: Proxy,
                         param: ::tavrida::__private::Param<i64>,
                         note: ::std::option::Option<::tavrida::__private::Param<String>>,| async move {
                            Self::hello(&this, proxy, param, note.unwrap_or_default()).await
                        }
                    )
                );
                let service = service.handle_answer(
                    |::tavrida::proxy::Answer { reply: receipt, .. }: ::tavrida::proxy::Answer<Charge>,| async move { Self::charged(receipt).await }
                );
                service
            }
        }
    };
    assert_eq!(expand(quote!("test_hello"), block).to_string(), written.to_string());
}

#[test]
fn what_it_emits_is_declared_after_the_handlers() {
    let block = quote!(impl Hello { #[rpc] async fn hello() {} });
    let written = expand(quote!("test_hello", emits = [Charged, "noted", "other.*"]), block).to_string();
    let declared = quote! {
        let service = service.emits::<Charged>();
        let service = service.publishes("noted");
        let service = service.publishes("other.*");
        service
    };
    assert!(written.contains(&declared.to_string()), "{written}");
    assert!(written.contains("publishes `Charged`") && written.contains("publishes `noted`"), "{written}");
}

#[test]
fn with_mistakes_all_that_can_be_made_is_still_there() {
    let block = quote! {
        impl Hello {
            #[rpc]
            fn hello(&mut self) {}
            #[response]
            async fn world(&self) {}
        }
    };
    let written = expand(quote!("test_hello"), block).to_string();
    assert!(written.contains("fn into_service"), "{written}");
    assert_eq!(written.matches("compile_error").count(), 3, "{written}");
}
